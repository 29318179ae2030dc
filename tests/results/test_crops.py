from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from boxmask.outputs import is_output
from boxmask.results.crops import crop_files, save_crops
from boxmask.types import Detections

NAMES = ("cat", "dog/wolf", "..")


def detections(boxes: list[tuple[float, ...]], labels: list[int]) -> Detections:
    scores = np.linspace(0.9, 0.5, len(boxes), dtype=np.float32)
    corners = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    return Detections(corners, scores, np.array(labels), NAMES, (30, 40))


def test_objects_lie_in_a_folder_per_class_numbered_by_score(tmp_path: Path) -> None:
    found = detections([(0, 0, 9, 9)] * 4, [0, 1, 0, 2])
    files = crop_files("a", found, tmp_path)
    names = [file.relative_to(tmp_path).as_posix() for file in files]
    assert names == ["crops/cat/a-1.jpg", "crops/dog_wolf/a-1.jpg", "crops/cat/a-2.jpg", "crops/_/a-1.jpg"]


def test_a_crop_holds_the_pixels_that_the_box_touches(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    boxes = [(3.2, 4.9, 10.1, 12.0), (39.5, 29.5, 40.0, 30.0), (40.0, 30.0, 40.0, 30.0)]
    found = detections(boxes, [0, 0, 0])
    files = crop_files("a", found, tmp_path)
    save_crops(photo, found, files)
    assert [Image.open(file).size for file in files] == [(8, 8), (1, 1), (1, 1)]
    difference = np.array(Image.open(files[0])).astype(int) - photo[4:12, 3:11]
    assert np.abs(difference).mean() < 10  # JPEG
    assert all(map(is_output, files))


def test_classes_whose_folders_would_be_the_same_keep_apart(tmp_path: Path) -> None:
    names = ("a/b", "a_b", "A_b")
    found = Detections(np.zeros((3, 4), np.float32), np.ones(3, np.float32), np.arange(3), names, (30, 40))
    files = crop_files("a", found, tmp_path)
    assert len({str(file).casefold() for file in files}) == 3
