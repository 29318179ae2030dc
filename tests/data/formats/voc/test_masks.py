"""Reading the outlines of VOC's objects from SegmentationObject/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.data.formats.voc_colors import voc_palette
from boxmask.errors import LabelError


@pytest.fixture
def root(write_voc: Callable[..., Path]) -> Path:
    boxes = {
        "a": [("cat", 3, 3, 9, 9), ("dog", 21, 5, 30, 9), ("cow", 40, 5, 50, 9)],
        "b": [("cat", 1, 1, 9, 9)],
    }
    return write_voc(boxes)


def save_numbers(root: Path, mode: str = "P", size: tuple[int, int] = (40, 60)) -> None:
    """Object 1 and 2 of photo a, with a border of 255; object 3 has no pixel."""
    pixels = np.zeros(size, dtype=np.uint8)
    pixels[2:9, 2:9] = 255
    pixels[3:8, 3:8] = 1
    pixels[4:9, 20:30] = 2
    image = Image.fromarray(pixels)
    image.putpalette(voc_palette())
    (root / "SegmentationObject").mkdir(exist_ok=True)
    image.convert(mode).save(root / "SegmentationObject" / "a.png")


@pytest.mark.parametrize("mode", ["P", "RGB"])
def test_objects_have_the_pixels_of_their_number(root: Path, mode: str) -> None:
    save_numbers(root, mode)
    dataset = read_unsplit_detection(root)
    assert dataset.has_mask.tolist() == [True, True, False, False]
    assert dataset.areas.tolist() == [25, 50, 55, 81]
    masks = dataset.masks(0)
    assert masks is not None
    assert masks.windows[:2].tolist() == [[3, 3, 8, 8], [20, 4, 30, 9]]


def test_without_images_there_are_only_boxes(root: Path) -> None:
    assert not read_detection(root).has_mask.any()


def test_an_image_of_another_size(root: Path) -> None:
    save_numbers(root, size=(50, 60))
    with pytest.raises(LabelError, match=r"a\.png is 60 × 50, its photo is 60 × 40"):
        read_detection(root)


def test_an_image_with_other_colors(root: Path) -> None:
    (root / "SegmentationObject").mkdir()
    Image.new("RGB", (60, 40), (1, 2, 3)).save(root / "SegmentationObject" / "a.png")
    with pytest.raises(LabelError, match="the color 010203 is none of VOC's object numbers"):
        read_detection(root)
