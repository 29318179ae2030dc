"""boxmask export --int8."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest

from boxmask.exporting.int8 import convert
from boxmask.exporting.int8.convert import Loss

Refused = Callable[..., str]
Boxmask = Callable[..., Any]
EXPORT = ("--out", "model.onnx", "--int8", "--calibrate")


def metadata(path: Path) -> dict[str, Any]:
    entries = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    found: dict[str, Any] = json.loads(entries["boxmask"])
    return found


def losses(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Files lose these amounts of AP, one after another; the last one again and again."""
    remaining: Iterator[float] = iter(values)

    def lose(*args: object) -> list[Loss]:
        return [Loss("AP", 0.6, 0.6 - next(remaining, values[-1]), None)]

    monkeypatch.setattr(convert, "_losses", lose)


def test_photos_of_two_splits(boxmask: Boxmask, here: Path, trained: Path, demo: Path) -> None:
    completed = boxmask("export", trained, *EXPORT, demo)
    assert completed.status == 0, completed
    assert f"int8: calibrated on 18 training photos of {demo}, measured on 2 validation photos" in (
        completed.err
    )
    found = re.search(r"layers in 8 bits: (\d+) of (\d+)", completed.err)
    assert found is not None
    assert re.search(r"^AP +0\.\d{4} +0\.\d{4} +-?0\.\d{4} +-?0\.\d{4} to -?0\.\d{4}", completed.out, re.M)
    about = metadata(here / "model.onnx")["int8"]
    assert list(about) == ["calibration", "measured_on", "metrics", "layers", "float_layers"]
    assert about["measured_on"] == "2 validation photos"
    assert set(about["metrics"]["AP"]) == {"float32", "int8", "loss_interval"}
    assert len(about["layers"]) == int(found[1])


def test_a_file_that_loses_too_much_is_not_written(
    refused: Refused, trained: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses(monkeypatch, 0.1)
    error = " ".join(refused(1, "export", trained, *EXPORT, demo, "--max-loss", "0.02").split())
    assert "in 8 bits, AP falls from 0.600 to 0.500, by more than 0.02, even with" in error
    assert "The file was not written." in error


def test_sensitive_layers_stay_in_32_bits(
    boxmask: Boxmask, here: Path, trained: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses(monkeypatch, 0.1, 0.1, 0.001)
    completed = boxmask("export", trained, *EXPORT, demo)
    kept = metadata(here / "model.onnx")["int8"]["float_layers"]
    assert len(kept) == 2
    assert f"kept in 32 bits: {', '.join(kept)}" in " ".join(completed.err.split())


def test_photos_without_labels(
    boxmask: Boxmask, here: Path, trained: Path, demo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in sorted(demo.rglob("*.jpg"))[:5]:
        shutil.copy(photo, folder)
    completed = boxmask("export", trained, *EXPORT, folder)
    assert completed.status == 0, completed
    assert f"calibrated on 3 photos of {folder}, measured on 2 other photos" in completed.err
    assert "accuracy was not measured, because the photos have no labels" in completed.err
    assert list(metadata(here / "model.onnx")["int8"]["metrics"]) == ["agreement"]


@pytest.mark.parametrize("kind", ["mask-rcnn", "unet", "classifier"])
def test_other_models(
    boxmask: Boxmask, here: Path, runs: Callable[[str], Path], demo: Path, kind: str
) -> None:
    completed = boxmask("export", runs(kind), *EXPORT, demo, "--max-loss", "0.9")
    assert completed.status == 0, completed
    metrics = {"mask-rcnn": ["AP", "mask_AP"], "unet": ["mIoU"], "classifier": ["accuracy"]}
    assert list(metadata(here / "model.onnx")["int8"]["metrics"]) == metrics[kind]


def test_arguments_that_do_not_fit(refused: Refused, trained: Path, demo: Path) -> None:
    out = ("export", trained, "--out", "model.onnx")
    assert "--int8 needs photos for calibration. Add --calibrate DATA." in refused(2, *out, "--int8")
    assert "--calibrate needs --int8" in refused(2, *out, "--calibrate", demo)
    assert "--max-loss" in refused(2, *out, "--max-loss", "0.1")
    assert "expected 0 to 1, found 3" in refused(2, *out, "--int8", "--calibrate", demo, "--max-loss", "3")
