from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Refused = Callable[..., str]


def test_pictures_and_detections_are_written(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    ended = boxmask("predict", trained, demo / "images" / "test-*.jpg", "--min-score", "0.1")
    assert ended.status == 0
    assert ended.err == ""
    photos, folder = ended.out.splitlines()
    written = json.loads((here / "predictions" / "detections.json").read_text())
    shown = sum(annotation["score"] >= 0.1 for annotation in written["annotations"])
    assert photos == f"4 photos, {shown} objects with a score of 0.1 or more"
    assert folder == "predictions"
    assert len(list((here / "predictions").glob("test-*.jpg"))) == 4


def test_what_is_saved_can_be_chosen(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    photo = demo / "images" / "train-00001.jpg"
    assert boxmask("predict", trained, photo, "--out", "found", "--save", "png").status == 0
    assert [file.name for file in (here / "found").iterdir()] == ["train-00001.png"]


def test_an_unknown_form_is_wrong_usage(refused: Refused, trained: Path, demo: Path) -> None:
    said = refused(2, "predict", trained, demo / "images", "--save", "png,bmp")
    assert said == "boxmask: --save bmp: unknown format. Choose from: jpg, png, coco, labelme, label-maps.\n"


@pytest.mark.parametrize("given", ["nowhere.jpg", "*.jpg", "."])
def test_photos_that_are_not_there(refused: Refused, trained: Path, given: str) -> None:
    assert f"boxmask: {given}: " in refused(1, "predict", trained, given)


def test_a_file_in_the_way(refused: Refused, here: Path, trained: Path, demo: Path) -> None:
    (here / "found").write_text("mine")
    assert "found: is a file" in refused(2, "predict", trained, demo / "images", "--out", "found")


def test_a_run_that_is_not_there(refused: Refused, demo: Path) -> None:
    assert "nowhere: there is no such checkpoint" in refused(1, "predict", "nowhere", demo / "images")
