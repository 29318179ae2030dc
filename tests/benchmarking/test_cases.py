"""Which cases are measured."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from boxmask.benchmarking import cases
from boxmask.benchmarking.cases import Case, find_cases
from boxmask.errors import CheckpointError, UsageError, WeightsError


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A run, a file and a file with integers."""
    int8 = {"model.onnx": {}, "small.ONNX": {"layers": ["fc"]}}
    monkeypatch.setattr(cases, "read_onnx_file", lambda path: SimpleNamespace(properties={}))
    monkeypatch.setattr(cases, "read_metadata", lambda path, _: SimpleNamespace(int8=int8[path.name]))
    (tmp_path / "run").mkdir()
    (tmp_path / "model.onnx").touch()
    (tmp_path / "small.ONNX").touch()
    return [tmp_path / name for name in ("run", "model.onnx", "small.ONNX")]


def test_every_model_with_all_threads_and_batches(models: list[Path]) -> None:
    found = find_cases(models, (1, 2), (1, 4))
    assert [case.format for case in found] == ["PyTorch"] * 4 + ["ONNX"] * 4 + ["ONNX int8"] * 4
    assert found[:4] == [Case(str(models[0]), "PyTorch", n, b) for n in (1, 2) for b in (1, 4)]


@pytest.mark.parametrize(("cores", "numbers"), [(1, [1]), (6, [1, 6])])
def test_by_default_one_thread_and_one_per_core(
    models: list[Path], monkeypatch: pytest.MonkeyPatch, cores: int, numbers: list[int]
) -> None:
    monkeypatch.setattr(cases, "usable_cores", lambda: cores)
    assert [case.threads for case in find_cases(models[:1], None, (1,))] == numbers


def test_repeated_numbers_are_measured_once(models: list[Path]) -> None:
    assert len(find_cases(models[:1], (2, 2), (4, 4))) == 1


@pytest.mark.parametrize(
    ("threads", "batches", "message"),
    [
        ((0,), (1,), r"--threads: expected whole numbers of 1 or more, found 0"),
        ((1,), (4, -1), r"--batch: expected whole numbers of 1 or more, found 4, -1"),
        ((1,), (), "--batch: expected"),
    ],
)
def test_numbers_that_cannot_be(
    models: list[Path], threads: tuple[int, ...], batches: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        find_cases(models, threads, batches)


def test_models_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="away: there is no such run or file"):
        find_cases([tmp_path / "away"], None, (1,))
    with pytest.raises(CheckpointError, match=r"away.onnx: there is no such file"):
        find_cases([tmp_path / "away.onnx"], None, (1,))
    with pytest.raises(WeightsError):
        find_cases([Path("torchvision/unheard_of")], None, (1,))
    with pytest.raises(UsageError, match="expected at least one run or ONNX file, found none"):
        find_cases([], None, (1,))
