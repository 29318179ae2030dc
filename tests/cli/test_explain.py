"""boxmask explain RUN PHOTO."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import boxmask as package

Runs = Callable[[str], Path]
Boxmask = Callable[..., Any]  # `Completed` of conftest.py


@pytest.fixture(scope="module")
def photo(demo: Path) -> Path:
    return demo / "images" / "test-00023.jpg"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_one_picture_and_one_line_per_stage(boxmask: Boxmask, trained: Path, photo: Path, here: Path) -> None:
    completed = boxmask("explain", trained, photo)
    assert completed.status == 0, completed
    *lines, last = completed.out.splitlines()
    assert last == "explanation"
    assert lines[0].startswith("01-image.jpg  Image. The photo has ")
    assert [line.split()[0] for line in lines] == names(here / "explanation")[:10]
    assert names(here / "explanation")[10:] == ["all-stages.jpg", "stages.txt"]


def test_saliency_and_another_folder(boxmask: Boxmask, trained: Path, photo: Path, here: Path) -> None:
    flags = ("--out", "look", "--min-score", "0", "--saliency", "3")
    completed = boxmask("explain", trained, photo, *flags)
    assert completed.status == 0, completed
    found = len(package.load(trained).predict(photo))
    assert ("10-saliency.jpg" in names(here / "look")) == (found > 0)


def test_segmenters_and_classifiers_are_explained(
    boxmask: Boxmask, runs: Runs, photo: Path, here: Path
) -> None:
    for model, last in (("tiles", "06-label-map.jpg"), ("classifier", "04-scores.jpg")):
        completed = boxmask("explain", runs(model), photo, "--out", model)
        assert completed.status == 0, completed
        assert last in names(here / model)


def test_mistakes_are_one_message(
    refused: Callable[..., str], runs: Runs, trained: Path, photo: Path, tmp_path: Path
) -> None:
    assert "does not exist" in refused(1, "explain", trained, "nowhere.jpg")
    assert "an exported file has no stages" in refused(2, "explain", "model.onnx", photo)
    assert "--saliency is for detectors" in refused(2, "explain", runs("unet"), photo, "--saliency", "5")
    assert "--min-score" in refused(2, "explain", trained, photo, "--min-score", "50")


def test_the_photo_is_never_replaced(boxmask: Boxmask, trained: Path, photo: Path, here: Path) -> None:
    copy = here / "01-image.jpg"
    copy.write_bytes(photo.read_bytes())
    completed = boxmask("explain", trained, copy, "--out", here)
    assert completed.status == 2
    assert "would overwrite the photo itself" in completed.err
    assert names(here) == ["01-image.jpg"]


def test_explain_in_python(trained: Path, photo: Path) -> None:
    explanation = package.explain(package.Run(trained), photo)
    assert isinstance(explanation, package.Explanation)
    assert explanation.result == package.load(trained).predict(photo)
    assert explanation.model == "faster-rcnn"
