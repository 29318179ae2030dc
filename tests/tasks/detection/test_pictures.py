from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.errors import UsageError
from boxmask.tasks.detection.pictures import comparison_folder, draw_comparisons
from boxmask.tasks.detection.task import DetectionTask
from boxmask.weights.checkpoint import load_detector

TASK = DetectionTask()


@pytest.fixture(scope="module")
def dataset(demo: Path) -> DetectionDataset:
    """Two labeled photos."""
    return read_detection(demo).split("test").subset(np.array([0, 1]))


def test_each_photo_is_drawn_twice(trained: Path, dataset: DetectionDataset, tmp_path: Path) -> None:
    _, detections = TASK.evaluate_with_detections(load_detector(trained), dataset)
    folder = comparison_folder(dataset, tmp_path / "pictures")
    draw_comparisons(dataset, detections, folder)
    pictures = folder.files
    assert sorted((tmp_path / "pictures").glob("*.jpg")) == sorted(pictures)
    assert pictures == folder.planned
    assert [picture.stem for picture in pictures] == [dataset.path(photo).stem for photo in (0, 1)]
    assert Image.open(pictures[0]).width > 2 * dataset.sizes[0, 1]


def test_photos_with_the_same_name_have_separate_pictures(
    trained: Path, dataset: DetectionDataset, tmp_path: Path
) -> None:
    for number, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        shutil.copy(dataset.path(number), tmp_path / folder / "a.jpg")
    twins = replace(dataset, root=tmp_path, files=np.array(["one/a.jpg", "two/a.jpg"]))
    _, detections = TASK.evaluate_with_detections(load_detector(trained), twins)
    folder = comparison_folder(twins, tmp_path / "pictures")
    draw_comparisons(twins, detections, folder)
    assert [picture.name for picture in folder.files] == ["a.jpg", "a-2.jpg"]
    assert all(picture.is_file() for picture in folder.files)


def test_a_picture_never_overwrites_a_photo(dataset: DetectionDataset, demo: Path) -> None:
    before = dataset.path(0).read_bytes()
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        comparison_folder(dataset, demo / "images")
    assert dataset.path(0).read_bytes() == before


def test_an_evaluation_checks_its_pictures_before_it_predicts(dataset: DetectionDataset, demo: Path) -> None:
    detector: Any = object()  # would fail if it were used
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        TASK.evaluate(detector, dataset, pictures=demo / "images")
