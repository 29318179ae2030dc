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
    completed = boxmask("predict", trained, demo / "images" / "test-*.jpg", "--min-score", "0.1")
    assert completed.status == 0
    assert completed.err == ""
    photos, folder = completed.out.splitlines()
    written = json.loads((here / "predictions" / "detections.json").read_text())
    shown = sum(annotation["score"] >= 0.1 for annotation in written["annotations"])
    assert photos == f"4 photos, {shown} objects with a score of 0.1 or more"
    assert folder == "predictions"
    assert len(list((here / "predictions").glob("test-*.jpg"))) == 4


def test_the_formats_can_be_chosen(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    photo = demo / "images" / "train-00001.jpg"
    assert boxmask("predict", trained, photo, "--out", "found", "--save", "png").status == 0
    assert [file.name for file in (here / "found").glob("[!.]*")] == ["train-00001.png"]


def test_an_unknown_format_is_wrong_usage(refused: Refused, trained: Path, demo: Path) -> None:
    message = refused(2, "predict", trained, demo / "images", "--save", "png,bmp")
    assert message == "boxmask: --save bmp: unknown format. Choose from: jpg, png, coco, labelme.\n"


@pytest.mark.parametrize("given", ["nowhere.jpg", "*.jpg", "."])
def test_an_input_without_photos_is_an_error(refused: Refused, trained: Path, given: str) -> None:
    assert f"boxmask: {given}: " in refused(1, "predict", trained, given)


def test_a_file_in_place_of_the_folder_is_wrong_usage(
    refused: Refused, here: Path, trained: Path, demo: Path
) -> None:
    (here / "found").write_text("mine")
    assert "found: is a file" in refused(2, "predict", trained, demo / "images", "--out", "found")


def test_a_missing_run_is_an_error(refused: Refused, demo: Path) -> None:
    assert "nowhere: there is no such checkpoint" in refused(1, "predict", "nowhere", demo / "images")
