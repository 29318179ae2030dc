"""Saves that fail, and trainings that end between two writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from boxmask import atomic_write
from boxmask.errors import DiskFullError, OutputError, TrainingError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training import checkpoints, state
from boxmask.training.progress import Report
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import load_model, read_checkpoint, save_checkpoint

Compare = Callable[[Path, Path], bool]


class RecordingReport(Report):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture(scope="module")
def recipe(recipes: dict[str, Recipe]) -> Recipe:
    """A save after each of ten steps, and four validations."""
    return replace(recipes["classifier"], epochs=2, num_validations=4, save_seconds=1e-6)


@pytest.fixture(scope="module")
def undisturbed(demo: Path, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in each test: other threads give other weights
    yield train(demo, recipe, tmp_path_factory.mktemp("undisturbed") / "run")[0]
    torch.set_num_threads(threads)


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int, str], bool]], list[str]]:
    """Make writes of checkpoints fail: `fill_disk(is_full)` is asked with the number and name of each."""

    def fill(is_full: Callable[[int, str], bool]) -> list[str]:
        written: list[str] = []

        def save(path: Path, *args: Any) -> None:
            written.append(path.name)
            if is_full(len(written), path.name):
                raise DiskFullError(f"{path}: no space left on the disk.")
            save_checkpoint(path, *args)

        for module in (state, checkpoints):
            monkeypatch.setattr(module, "save_checkpoint", save)
        return written

    return fill


# ---------------------------------------------------------------- a full disk


@pytest.mark.parametrize("failures", [range(1, 2), range(2, 3), range(3, 9), range(1, 12), range(5, 6)])
def test_a_training_goes_on_while_the_disk_is_full(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    fill_disk: Callable[..., list[str]],
    equal_files: Compare,
    failures: range,
) -> None:
    report, _ = RecordingReport(), fill_disk(lambda number, _: number in failures)
    run, finished = train(demo, recipe, tmp_path / "run", report)
    assert finished
    warnings = [text for text in report.messages if text.startswith("warning")]
    assert len(warnings) == 1
    assert "no space left on the disk. Training goes on, and tries again at the next save." in warnings[0]
    assert report.messages.count("the run could be saved again") == 1
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)
    assert equal_files(run.best_checkpoint, undisturbed.best_checkpoint)


@pytest.mark.parametrize("name", ["last", "best", "resume", ""])
def test_a_disk_that_stays_full_is_an_error_that_keeps_the_last_good_save(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    fill_disk: Callable[..., list[str]],
    equal_files: Compare,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    run = Run(tmp_path / "run")
    fill_disk(lambda number, file: number > 6 and file.startswith(name))
    if name == "resume":
        assert train(demo, recipe, run.path)[1]  # the last weights can be written: nothing is missing
        return
    with pytest.raises(TrainingError, match=r"no space left .* boxmask train --resume --out") as caught:
        train(demo, recipe, run.path)
    assert str(caught.value).endswith(f"The last saved weights are in {run.path}.")
    assert not run.finished
    load_model(run.path)
    monkeypatch.undo()
    assert resume(run)
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)
    assert equal_files(run.best_checkpoint, undisturbed.best_checkpoint)


def test_a_disk_that_is_full_from_the_first_save_on_leaves_a_run_that_can_start_again(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    fill_disk: Callable[..., list[str]],
    equal_files: Compare,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(tmp_path / "run")
    fill_disk(lambda *_: True)
    with pytest.raises(
        TrainingError, match="No state was saved, so the training starts again with: boxmask train --resume"
    ):
        train(demo, recipe, run.path)
    assert not run.finished
    monkeypatch.undo()
    assert resume(run)
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)


def test_a_log_and_a_curve_that_cannot_be_written_end_no_training(
    demo: Path, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("curve.png: no space left on the disk.")

    monkeypatch.setattr("boxmask.training.train.draw_curve", full)
    report, run = RecordingReport(), Run(tmp_path / "run")
    report.log = run.path / "a folder"
    monkeypatch.setattr(Run, "log_file", property(lambda self: self.path))  # a folder cannot be appended to
    monkeypatch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
    assert train(demo, recipe, run.path, report)[1]
    warnings = [text for text in report.messages if text.startswith("warning")]
    assert len(warnings) == 2
    assert "The log is incomplete." in warnings[0]
    assert "The run has no curve." in warnings[1]


# ---------------------------------------------------------------- an end between two renames


class PowerCut(BaseException):
    pass


@pytest.fixture
def cut_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Iterator[int]]:
    """End the process after so many renames, by an exception that nothing catches."""

    def cut(number: int) -> list[str]:
        renamed: list[str] = []
        original = Path.replace

        def replace_(self: Path, target: Path) -> Path:
            result = original(self, target)
            if target.suffix in {".safetensors", ".json", ".png"}:
                renamed.append(target.name)
                if len(renamed) == number:
                    raise PowerCut
            return result

        monkeypatch.setattr(atomic_write.Path, "replace", replace_)
        return renamed

    return cut  # type: ignore[return-value]


def test_an_end_after_any_rename_loses_no_weights(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    cut_after: Callable[[int], list[str]],
    equal_files: Compare,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, number, finished = Run(tmp_path / "run"), 0, False
    while not finished:
        number += 1
        with monkeypatch.context():
            renamed = cut_after(number)
            try:
                finished = train(demo, recipe, run.path)[1]
            except PowerCut:
                best = best_metric(run)
        monkeypatch.undo()
        if not finished and run.path.exists():
            assert resume(run), renamed
            assert best_metric(run) >= best, renamed
        if run.path.exists():
            assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint), renamed
            assert equal_files(run.best_checkpoint, undisturbed.best_checkpoint), renamed
            assert run.finished
            shutil.rmtree(run.path)
    assert number > 10


def best_metric(run: Run) -> float:
    if not run.best_checkpoint.is_file():
        return -1.0
    return float(next(iter(read_checkpoint(run.best_checkpoint)[1].metrics.values())))
