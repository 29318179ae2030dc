from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.errors import PhotoError
from boxmask.masks import Masks
from boxmask.pipeline.images import Preparation, prepare
from boxmask.runs.recipe import Recipe
from boxmask.tasks.classification.task import ClassificationTask
from boxmask.tasks.contract import Task
from boxmask.tasks.detection import task as detection_task
from boxmask.tasks.detection.task import DetectionTask
from boxmask.tasks.segmentation.task import SegmentationTask
from boxmask.training.loader import (
    BatchSampler,
    DatasetWithProposals,
    TrainingBatch,
    TrainingDataset,
    padded_sizes,
    split_proposals,
    with_proposals,
)
from boxmask.training.loader import batches as endless
from boxmask.types import SegmentationTarget, Target

SIZE = (64, 96)
CONFIG = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32)
TASK = DetectionTask()
TALL, WIDE = (96, 64), (64, 96)
SHAPES = [TALL, WIDE, WIDE] * 7  # 7 tall, 14 wide


@pytest.fixture(scope="module")
def photos_to_train(demo: Path) -> DetectionDataset:
    return read_detection(demo).split("train")


def fed(dataset: DetectionDataset, seed: int = 0, cache_bytes: int = 10**9) -> TrainingDataset:
    return TrainingDataset(dataset, TASK, CONFIG, DetectionAugmentation(), seed, cache_bytes)


# ---------------------------------------------------------------- steps


@pytest.mark.parametrize("batch_size", [1, 2, 4, 50])
def test_every_photo_comes_once_an_epoch(batch_size: int) -> None:
    steps = BatchSampler(SHAPES, batch_size, seed=0, first=0)
    for epoch in range(3):
        places = [place for batch in steps.batches(epoch) for place in batch]
        assert sorted(places) == [(epoch, photo) for photo in range(len(SHAPES))]


def test_every_epoch_has_as_many_steps() -> None:
    steps = BatchSampler(SHAPES, 4, seed=0, first=0)
    assert {len(steps.batches(epoch)) for epoch in range(20)} == {steps.per_epoch} == {6}


def test_the_same_seed_gives_the_same_order_and_another_another() -> None:
    orders = [list(islice(BatchSampler(SHAPES, 4, seed, 0), 20)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_every_epoch_has_an_order_of_its_own() -> None:
    steps = BatchSampler(SHAPES, 4, seed=0, first=0)
    orders = [[photo for batch in steps.batches(epoch) for _, photo in batch] for epoch in (0, 1)]
    assert orders[0] != orders[1]


@pytest.mark.parametrize("first", [0, 1, 5, 6, 7, 17])
def test_starting_later_skips_what_came_before(first: int) -> None:
    whole = list(islice(BatchSampler(SHAPES, 4, 3, 0), 24))
    assert list(islice(BatchSampler(SHAPES, 4, 3, first), 24 - first)) == whole[first:]


def test_photos_of_one_shape_go_together() -> None:
    batches = BatchSampler(SHAPES, 3, seed=0, first=0).batches(0)
    mixed = [batch for batch in batches if len({SHAPES[photo] for _, photo in batch}) > 1]
    assert len(mixed) == 1  # 7 tall leave one over, 14 wide leave two


def test_a_set_smaller_than_a_batch_is_one_step() -> None:
    assert BatchSampler(SHAPES[:3], 8, 0, 0).per_epoch == 1


# ---------------------------------------------------------------- photos


def test_photos_are_brought_to_their_size(photos_to_train: DetectionDataset) -> None:
    image, target, photo = fed(photos_to_train)[(0, 3)]
    assert image.dtype == torch.uint8
    assert min(image.shape[1:]) <= 64
    assert max(image.shape[1:]) <= 96
    assert photo == 3
    edges = torch.tensor([image.shape[2], image.shape[1]] * 2)
    assert ((target.boxes >= 0) & (target.boxes <= edges)).all()


def test_a_photo_changes_with_the_epoch_and_the_seed_and_with_nothing_else(
    photos_to_train: DetectionDataset,
) -> None:
    photos = fed(photos_to_train)
    first = photos[(0, 3)][0]
    assert not torch.equal(first, photos[(1, 3)][0])
    assert not torch.equal(first, fed(photos_to_train, seed=1)[(0, 3)][0])
    assert torch.equal(first, photos[(0, 3)][0])  # now from the cache
    fresh = fed(photos_to_train)
    _ = fresh[(0, 1)], fresh[(5, 2)]
    assert torch.equal(first, fresh[(0, 3)][0])


def test_what_is_kept_in_memory_stays_as_it_was(photos_to_train: DetectionDataset) -> None:
    photos = fed(photos_to_train)
    _ = photos[(0, 3)]
    kept = photos.cache[3][0].clone()
    _ = [photos[(epoch, 3)] for epoch in range(8)]
    assert torch.equal(photos.cache[3][0], kept)


@pytest.mark.parametrize("room", [0, 40_000, 10**9])
def test_no_more_is_kept_in_memory_than_there_is_room(photos_to_train: DetectionDataset, room: int) -> None:
    photos = fed(photos_to_train, cache_bytes=room)
    _ = [photos[(0, photo)] for photo in range(len(photos))]
    outlines = [target.masks for _, target in photos.cache.values() if target.masks is not None]
    assert len(outlines) == len(photos.cache)
    held = sum(image.numel() for image, _ in photos.cache.values()) + sum(m.bits.nbytes for m in outlines)
    assert held <= room
    assert len(photos.cache) == {0: 0, 40_000: 2, 10**9: len(photos)}[room]


def test_a_photo_in_memory_is_not_opened_again(
    photos_to_train: DetectionDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def count(path: Path) -> torch.Tensor:
        opened.append(path)
        return torch.zeros(3, *photos_to_train.sizes[0].tolist(), dtype=torch.uint8)

    monkeypatch.setattr(detection_task, "to_image", count)
    photos = fed(photos_to_train)
    _ = [photos[(epoch, 0)] for epoch in range(3)]
    assert opened == [photos_to_train.path(0)]


# ---------------------------------------------------------------- proposals that travel with their photo

OBJECTS = Target.of([[10, 20, 50, 60], [0, 0, 30, 30]], [2, 0], [False, True])
PROPOSALS = torch.tensor([[12.0, 18, 50, 60], [70, 5, 95, 40], [0, 0, 8, 8]])


def test_what_was_put_together_comes_apart() -> None:
    target, proposals = split_proposals(with_proposals(OBJECTS, PROPOSALS))
    assert torch.equal(target.boxes, OBJECTS.boxes)
    assert torch.equal(target.labels, OBJECTS.labels)
    assert torch.equal(target.ignore, OBJECTS.ignore)
    assert torch.equal(proposals, PROPOSALS)


def test_outlines_stay_with_their_objects_and_proposals_have_none() -> None:
    masks = Masks.from_dense(np.random.default_rng(0).random((2, 64, 96)) < 0.5)
    joined = with_proposals(replace(OBJECTS, masks=masks), PROPOSALS)
    assert joined.masks is not None
    assert joined.masks.known.tolist() == [True, True, False, False, False]
    target, proposals = split_proposals(joined)
    assert target.masks is not None
    assert np.array_equal(target.masks.dense(), masks.dense())
    assert torch.equal(proposals, PROPOSALS)
    assert split_proposals(with_proposals(OBJECTS, PROPOSALS))[0].masks is None


def test_outlines_reach_the_batch_through_workers(photos_to_train: DetectionDataset) -> None:
    photos = fed(photos_to_train)
    batch = next(
        endless(photos, BatchSampler(padded_sizes(photos_to_train, TASK, CONFIG), 2, 0, 0), workers=1)
    )
    for target, image in zip(batch.targets, batch.images, strict=True):
        assert target.masks is not None
        assert target.masks.size == image.shape[1:]
        assert len(target.masks) == len(target.boxes)
    assert any(target.masks.known.any() for target in batch.targets if target.masks)


def test_outlines_take_up_room_in_memory(photos_to_train: DetectionDataset) -> None:
    bare, masks = fed(photos_to_train, cache_bytes=0)[(0, 0)][1], photos_to_train.masks(0)
    assert bare.masks is not None
    assert masks is not None
    image = 3 * 64 * 85
    for room, kept in ((image, 0), (image + masks.bits.nbytes, 1)):
        photos = fed(photos_to_train, cache_bytes=room)
        _ = photos[(0, 0)]
        assert len(photos.cache) == kept


def test_a_photo_without_objects_has_its_proposals() -> None:
    target, proposals = split_proposals(with_proposals(Target.of([], []), PROPOSALS))
    assert len(target.boxes) == 0
    assert torch.equal(proposals, PROPOSALS)


def test_proposals_that_rounding_has_closed_are_left_out() -> None:
    closed = torch.tensor([[5.0, 5, 5, 9], [5, 9, 7, 9]])
    _, proposals = split_proposals(with_proposals(OBJECTS, torch.cat([closed, PROPOSALS])))
    assert torch.equal(proposals, PROPOSALS)


def objects_of(dataset: DetectionDataset) -> Callable[[Path], torch.Tensor]:
    """As proposals, the photo's own objects, and in the second place a box in its corner."""

    def boxes(path: Path) -> torch.Tensor:
        photo = [dataset.path(i) for i in range(len(dataset))].index(path)
        own = dataset.target(photo).boxes
        return torch.cat([own[:1], torch.tensor([[0.0, 0, 40, 40]]), own[1:]])

    return boxes


def carrying(dataset: DetectionDataset) -> DatasetWithProposals:
    return DatasetWithProposals(dataset, objects_of(dataset))


FLIPPED = DetectionAugmentation(flip=1.0, scale=(1.0, 1.0), color_jitter=0.0)
STILL = DetectionAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=0.0)


@pytest.mark.parametrize("scale", [(0.5, 0.5), (1.0, 1.0), (2.0, 2.0), (0.5, 2.0)])
def test_proposals_move_as_objects_do(photos_to_train: DetectionDataset, scale: tuple[float, float]) -> None:
    how, boxed = (
        DetectionAugmentation(0.5, 0.5, scale),
        replace(photos_to_train, runs=np.zeros(0, dtype=np.int32)),
    )
    photos = TrainingDataset(carrying(boxed), TASK, CONFIG, how, 0, 10**9)
    seen = 0
    for place in [(epoch, photo) for epoch in range(3) for photo in range(6)]:
        target, proposals = split_proposals(photos[place][1])
        boxes = proposals.tolist()
        assert all(box in boxes for box in target.boxes.tolist())
        assert len(proposals) - len(target.boxes) in (0, 1)  # but for the corner, which may be out of sight
        seen += len(proposals)
    assert seen > 20


def test_proposals_of_a_mirrored_photo(photos_to_train: DetectionDataset) -> None:
    """240 x 320 becomes 64 x 85; the corner, 40 x 40, the other corner, 10.6 x 10.7."""
    assert photos_to_train.sizes[0].tolist() == [240, 320]
    corner = torch.tensor([0, 0, 40 * 85 / 320, 40 * 64 / 240])
    mirrored = torch.tensor([85 - 40 * 85 / 320, 0, 85, 40 * 64 / 240])
    for how, expected in ((STILL, corner), (FLIPPED, mirrored)):
        photos = TrainingDataset(carrying(photos_to_train), TASK, CONFIG, how, 0, 10**9)
        _, proposals = split_proposals(photos[(0, 0)][1])
        torch.testing.assert_close(proposals[1], expected)


def test_proposals_are_asked_for_once_where_photos_are_kept(photos_to_train: DetectionDataset) -> None:
    asked: list[Path] = []
    carried = DatasetWithProposals(photos_to_train, lambda path: (asked.append(path), PROPOSALS)[1])
    photos = TrainingDataset(carried, TASK, CONFIG, STILL, 0, 10**9)
    _ = [photos[(epoch, 0)] for epoch in range(3)]
    assert asked == [photos_to_train.path(0)]


# ---------------------------------------------------------------- pixels and classes

TILED = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32, tile=48)
WHOLE = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32, tile=0)
SQUARE = SimpleNamespace(shorter_side=32, longer_side=32, multiple_of=32)
KINDS: dict[str, tuple[Task, SimpleNamespace]] = {
    "tiles": (SegmentationTask(), TILED),
    "pixels": (SegmentationTask(), WHOLE),
    "classes": (ClassificationTask(), SQUARE),
}


@pytest.fixture(scope="module", params=KINDS)
def of_kind(request: pytest.FixtureRequest, demo: Path) -> tuple[TrainingDataset, BatchSampler]:
    """What another task than boxes feeds; the batches are of 4."""
    task, config = KINDS[request.param]
    recipe = Recipe(model="unet")
    labeled = task.read(demo, recipe).split("train")
    photos = TrainingDataset(labeled, task, config, task.augmentation(recipe, config), 0, 10**9)
    return photos, BatchSampler(padded_sizes(labeled, task, config), 4, 0, 0)


def test_labels_of_every_kind_reach_the_batch(of_kind: tuple[TrainingDataset, BatchSampler]) -> None:
    photos, steps = of_kind
    alone, beside = (list(islice(endless(photos, steps, workers), 3)) for workers in (0, 1))
    for one, other in zip(alone, beside, strict=True):
        assert one.photos == other.photos
        assert one.proposals is other.proposals is None
        assert all(torch.equal(a, b) for a, b in zip(one.images, other.images, strict=True))
        for image, ours, theirs in zip(one.images, one.targets, other.targets, strict=True):
            assert image.dtype == torch.uint8
            if isinstance(ours, SegmentationTarget):
                assert ours.labels.shape == image.shape[1:]
                assert torch.equal(ours.labels, theirs.labels)
            else:
                assert ours == theirs


def test_canvases_of_every_kind_hold_their_samples(of_kind: tuple[TrainingDataset, BatchSampler]) -> None:
    photos, steps = of_kind
    for item in range(4):
        image, _, _ = photos[(0, item)]
        assert all(side <= room for side, room in zip(image.shape[1:], steps.shapes[item], strict=True))


def test_label_images_take_up_room_in_memory(demo: Path) -> None:
    task = SegmentationTask()
    labeled = task.read(demo, Recipe(model="unet"))
    size = int(labeled.sizes[0].prod())
    for room, kept in ((4 * size - 1, 0), (4 * size, 1)):  # three bytes of a pixel's color, one of its class
        photos = TrainingDataset(labeled, task, TILED, task.augmentation(Recipe(), TILED), 0, room)
        _ = photos[(0, 0)]
        assert len(photos.cache) == kept


def test_proposals_have_the_photos_of_their_set(photos_to_train: DetectionDataset) -> None:
    carried = carrying(photos_to_train)
    assert len(carried) == len(photos_to_train)
    assert carried.path(3) == photos_to_train.path(3)
    own = photos_to_train.target(3)
    target, proposals = split_proposals(carried.target(3))
    assert torch.equal(target.boxes, own.boxes)
    assert len(proposals) == len(own.boxes) + 1


# ---------------------------------------------------------------- batches


def batches(dataset: DetectionDataset, workers: int, count: int) -> list[TrainingBatch]:
    steps = BatchSampler(padded_sizes(dataset, TASK, CONFIG), 4, 0, 0)
    return list(islice(endless(fed(dataset), steps, workers), count))


def test_batches_are_the_same_with_and_without_workers(photos_to_train: DetectionDataset) -> None:
    pairs = zip(*(batches(photos_to_train, workers, 6) for workers in (0, 1)), strict=True)
    for here, there in pairs:
        assert here.photos == there.photos
        assert all(torch.equal(a, b) for a, b in zip(here.images, there.images, strict=True))
        targets = zip(here.targets, there.targets, strict=True)
        assert all(torch.equal(a.boxes, b.boxes) for a, b in targets)


def proposed(dataset: DetectionDataset, boxes: torch.Tensor | None, workers: int = 0) -> TrainingBatch:
    """The first batch, with these proposals in every photo."""
    carried = dataset if boxes is None else DatasetWithProposals(dataset, lambda path: boxes)
    photos = TrainingDataset(carried, TASK, CONFIG, STILL, 0, 0)
    return next(endless(photos, BatchSampler(padded_sizes(dataset, TASK, CONFIG), 4, 0, 0), workers))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_has_proposals_apart_from_labels(photos_to_train: DetectionDataset, workers: int) -> None:
    batch = proposed(photos_to_train, PROPOSALS, workers)
    assert batch.proposals is not None
    assert [len(boxes) for boxes in batch.proposals] == [3] * 4
    objects = [len(photos_to_train.target(photo).labels) for photo in batch.photos]
    assert [len(target.labels) for target in batch.targets] == objects
    assert all((target.labels >= 0).all() for target in batch.targets)


def test_no_boxes_in_any_photo_are_proposals_all_the_same(photos_to_train: DetectionDataset) -> None:
    """Else a detector would look for its own."""
    batch = proposed(photos_to_train, torch.zeros(0, 4))
    assert batch.proposals is not None
    assert [boxes.shape for boxes in batch.proposals] == [(0, 4)] * 4
    assert proposed(photos_to_train, None).proposals is None


def test_canvases_are_what_the_network_pads_to(photos_to_train: DetectionDataset) -> None:
    how = Preparation(*SIZE, mean=(0.5,) * 3, std=(0.5,) * 3)
    photos = TrainingDataset(photos_to_train, TASK, CONFIG, DetectionAugmentation(), 0, 0)
    shapes = padded_sizes(photos_to_train, TASK, CONFIG)
    padded = [prepare([photos[(0, photo)][0]], how).pixels.shape[2:] for photo in range(6)]
    assert [tuple(shape) for shape in padded] == shapes[:6]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photo_that_turns_out_damaged_is_named_in_one_message(
    photos_to_train: DetectionDataset, tmp_path: Path, workers: int
) -> None:
    for file in photos_to_train.files.tolist():
        photo = tmp_path / file
        photo.parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((96, 96, 3), np.uint8)).save(photo)
    photo.write_bytes(photo.read_bytes()[:-80])  # its header still says that all is well
    damaged = DetectionDataset(**{**vars(photos_to_train), "root": tmp_path})
    with pytest.raises(PhotoError, match="damaged or truncated") as caught:
        batches(damaged, workers, 6)
    assert str(caught.value).startswith(f"{photo}: ")
    assert "Traceback" not in str(caught.value)
