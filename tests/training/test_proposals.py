"""Proposals that are augmented along with the labels of their photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from boxmask.data.augmentation.combination import Combination
from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.masks import Masks
from boxmask.tasks.detection.task import DetectionTask
from boxmask.training.loader import TrainingBatch, TrainingDataset, load_batches
from boxmask.training.proposals import DatasetWithProposals, append_proposals, split_proposals
from boxmask.training.sampler import BatchSampler, padded_sizes
from boxmask.types import Target

CONFIG = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32)
TASK = DetectionTask()
OBJECTS = Target.of([[10, 20, 50, 60], [0, 0, 30, 30]], [2, 0], [False, True])
PROPOSALS = torch.tensor([[12.0, 18, 50, 60], [70, 5, 95, 40], [0, 0, 8, 8]])


def test_split_undoes_append() -> None:
    target, proposals = split_proposals(append_proposals(OBJECTS, PROPOSALS))
    assert torch.equal(target.boxes, OBJECTS.boxes)
    assert torch.equal(target.labels, OBJECTS.labels)
    assert torch.equal(target.ignore, OBJECTS.ignore)
    assert torch.equal(proposals, PROPOSALS)


def test_masks_stay_with_their_objects_and_are_unknown_for_proposals() -> None:
    masks = Masks.from_dense(np.random.default_rng(0).random((2, 64, 96)) < 0.5)
    combined = append_proposals(replace(OBJECTS, masks=masks), PROPOSALS)
    assert combined.masks is not None
    assert combined.masks.known.tolist() == [True, True, False, False, False]
    target, proposals = split_proposals(combined)
    assert target.masks is not None
    assert np.array_equal(target.masks.dense(), masks.dense())
    assert torch.equal(proposals, PROPOSALS)
    assert split_proposals(append_proposals(OBJECTS, PROPOSALS))[0].masks is None


def test_a_photo_without_objects_has_its_proposals() -> None:
    target, proposals = split_proposals(append_proposals(Target.of([], []), PROPOSALS))
    assert len(target.boxes) == 0
    assert torch.equal(proposals, PROPOSALS)


def test_proposals_without_an_area_are_dropped() -> None:
    closed = torch.tensor([[5.0, 5, 5, 9], [5, 9, 7, 9]])
    _, proposals = split_proposals(append_proposals(OBJECTS, torch.cat([closed, PROPOSALS])))
    assert torch.equal(proposals, PROPOSALS)


def proposed_objects(dataset: DetectionDataset) -> Callable[[Path], torch.Tensor]:
    """The photo's own objects as proposals, with a box in its corner in the second place."""

    def boxes(path: Path) -> torch.Tensor:
        photo = [dataset.path(i) for i in range(len(dataset))].index(path)
        objects = dataset.target(photo).boxes
        return torch.cat([objects[:1], torch.tensor([[0.0, 0, 40, 40]]), objects[1:]])

    return boxes


def with_proposals(dataset: DetectionDataset) -> DatasetWithProposals:
    return DatasetWithProposals(dataset, proposed_objects(dataset))


FLIPPED = Combination(DetectionAugmentation(flip=1.0, scale=(1.0, 1.0), color_jitter=0.0))
STILL = Combination(DetectionAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=0.0))


@pytest.mark.parametrize("scale", [(0.5, 0.5), (1.0, 1.0), (2.0, 2.0), (0.5, 2.0)])
def test_proposals_are_augmented_as_objects_are(
    photos_to_train: DetectionDataset, scale: tuple[float, float]
) -> None:
    augmentation = Combination(DetectionAugmentation(0.5, 0.5, scale))
    boxed = replace(photos_to_train, runs=np.zeros(0, dtype=np.int32))
    photos = TrainingDataset(with_proposals(boxed), TASK, CONFIG, augmentation, 0, 10**9)
    num_proposals = 0
    for key in [(epoch, photo) for epoch in range(3) for photo in range(6)]:
        target, proposals = split_proposals(photos[key][1])
        boxes = proposals.tolist()
        assert all(box in boxes for box in target.boxes.tolist())
        assert len(proposals) - len(target.boxes) in (0, 1)  # the corner may be outside the crop
        num_proposals += len(proposals)
    assert num_proposals > 20


def test_proposals_of_a_flipped_photo(photos_to_train: DetectionDataset) -> None:
    """240 x 320 becomes 64 x 85; the 40 x 40 corner becomes 10.6 x 10.7, in the other corner if flipped."""
    assert photos_to_train.sizes[0].tolist() == [240, 320]
    corner = torch.tensor([0, 0, 40 * 85 / 320, 40 * 64 / 240])
    flipped = torch.tensor([85 - 40 * 85 / 320, 0, 85, 40 * 64 / 240])
    for augmentation, expected in ((STILL, corner), (FLIPPED, flipped)):
        photos = TrainingDataset(with_proposals(photos_to_train), TASK, CONFIG, augmentation, 0, 10**9)
        _, proposals = split_proposals(photos[(0, 0)][1])
        torch.testing.assert_close(proposals[1], expected)


def test_cached_photos_are_proposed_once(photos_to_train: DetectionDataset) -> None:
    calls: list[Path] = []
    labeled = DatasetWithProposals(photos_to_train, lambda path: (calls.append(path), PROPOSALS)[1])
    photos = TrainingDataset(labeled, TASK, CONFIG, STILL, 0, 10**9)
    _ = [photos[(epoch, 0)] for epoch in range(3)]
    assert calls == [photos_to_train.path(0)]


def test_the_photos_are_those_of_the_data_set(photos_to_train: DetectionDataset) -> None:
    labeled = with_proposals(photos_to_train)
    assert len(labeled) == len(photos_to_train)
    assert labeled.path(3) == photos_to_train.path(3)
    objects = photos_to_train.target(3)
    target, proposals = split_proposals(labeled.target(3))
    assert torch.equal(target.boxes, objects.boxes)
    assert len(proposals) == len(objects.boxes) + 1


# ---------------------------------------------------------------- batches


def first_batch(dataset: DetectionDataset, boxes: torch.Tensor | None, workers: int = 0) -> TrainingBatch:
    """The first batch, with these proposals for every photo."""
    labeled = dataset if boxes is None else DatasetWithProposals(dataset, lambda path: boxes)
    photos = TrainingDataset(labeled, TASK, CONFIG, STILL, 0, 0)
    return next(load_batches(photos, BatchSampler(padded_sizes(dataset, TASK, CONFIG), 4, 0, 0), workers))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_separates_proposals_from_labels(photos_to_train: DetectionDataset, workers: int) -> None:
    batch = first_batch(photos_to_train, PROPOSALS, workers)
    assert batch.proposals is not None
    assert [len(boxes) for boxes in batch.proposals] == [3] * 4
    objects = [len(photos_to_train.target(photo).labels) for photo in batch.photos]
    assert [len(target.labels) for target in batch.targets] == objects
    assert all((target.labels >= 0).all() for target in batch.targets)


def test_empty_proposals_are_not_none(photos_to_train: DetectionDataset) -> None:
    """Otherwise the detector would propose its own."""
    batch = first_batch(photos_to_train, torch.zeros(0, 4))
    assert batch.proposals is not None
    assert [boxes.shape for boxes in batch.proposals] == [(0, 4)] * 4
    assert first_batch(photos_to_train, None).proposals is None
