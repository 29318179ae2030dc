from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from boxmask.data.detection.read import read_detection
from boxmask.errors import UsageError
from boxmask.photos.read import to_image
from boxmask.pipeline.selective_search.search import MODES
from boxmask.prediction.proposals import draw_proposals, proposals_of, rpn_boxes
from boxmask.weights.checkpoint import load_detector

BOXES = torch.tensor([[2.0, 2, 30, 20], [5, 5, 40, 30]])


def boxes_of(photo: Path) -> Tensor:
    return BOXES


def test_a_data_set_has_proposals_per_photo(demo: Path) -> None:
    calls: list[tuple[int, int]] = []
    dataset = read_detection(demo).split("test")
    proposals, errors = proposals_of(dataset, boxes_of, lambda *done: calls.append(done))
    assert list(proposals) == [0, 1, 2, 3]
    assert all(torch.equal(boxes, BOXES) for boxes in proposals.values())
    assert errors == []
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_rpn_gives_its_first_proposals(trained: Path, demo: Path) -> None:
    detector, photo = load_detector(trained), demo / "images" / "train-00001.jpg"
    boxes = rpn_boxes(detector, limit=7)(photo)
    assert boxes.shape == (7, 4)
    assert torch.equal(boxes, detector.propose(to_image(photo))[:7])  # type: ignore[attr-defined]


def test_another_detector_is_an_error(runs: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="--method rpn needs a Faster R-CNN, and --run holds another"):
        rpn_boxes(load_detector(runs("mask-rcnn")))


def test_proposals_are_drawn_with_the_regions_of_the_search(demo: Path, tmp_path: Path) -> None:
    photos = [demo / "images" / "train-00001.jpg", demo / "images" / "train-00002.jpg"]
    calls: list[tuple[int, int]] = []
    alone = draw_proposals(photos, boxes_of, tmp_path / "alone", progress=lambda *done: calls.append(done))
    assert alone.files == [tmp_path / "alone" / photo.name for photo in photos]
    assert calls == [(1, 2), (2, 2)]
    (with_regions,) = draw_proposals(photos[:1], boxes_of, tmp_path / "regions", MODES["single"]).files
    assert Image.open(with_regions).height > Image.open(alone.files[0]).height  # five pictures, in two rows


def test_a_picture_never_overwrites_a_photo(demo: Path) -> None:
    photo = demo / "images" / "train-00001.jpg"
    before = photo.read_bytes()
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        draw_proposals([photo], boxes_of, demo / "images")
    assert photo.read_bytes() == before
