"""The order of photos, their augmentation and cache, and batches from worker processes."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from boxmask.data.augmentation.combination import MOSAIC_END, Combination
from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.augmentation.repeat_factors import photo_repeat_factors
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import PhotoError
from boxmask.pipeline.images import Preparation, prepare
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.pipeline.selective_search.search import MODES
from boxmask.runs.method_defaults import CropPolicy
from boxmask.runs.recipe import Recipe
from boxmask.tasks.classification.task import ClassificationTask
from boxmask.tasks.contract import Task
from boxmask.tasks.detection import task as detection_task
from boxmask.tasks.detection.task import DetectionTask
from boxmask.tasks.segmentation.task import SegmentationTask
from boxmask.tasks.table import task_of
from boxmask.training import loader
from boxmask.training.loader import BadSample, TrainingBatch, TrainingDataset, load_batches
from boxmask.training.proposals import DatasetWithProposals
from boxmask.training.sampler import BatchSampler, SampleKey, padded_sizes
from boxmask.training.setup import network_config
from boxmask.training.stages.rpn_proposals import StoredProposals
from boxmask.types import SegmentationTarget, Target

SIZE = (64, 96)
CONFIG = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32)
TASK = DetectionTask()
TALL, WIDE = (96, 64), (64, 96)
SIZES = [TALL, WIDE, WIDE] * 7  # 7 tall, 14 wide


def augmented(dataset: DetectionDataset, seed: int = 0, cache_bytes: int = 10**9) -> TrainingDataset:
    return TrainingDataset(dataset, TASK, CONFIG, Combination(DetectionAugmentation()), seed, cache_bytes)


# ---------------------------------------------------------------- order


@pytest.mark.parametrize("batch_size", [1, 2, 4, 50])
def test_every_photo_comes_once_per_epoch(batch_size: int) -> None:
    sampler = BatchSampler(SIZES, batch_size, seed=0, first_step=0)
    for epoch in range(3):
        keys = [key for batch in sampler.batches(epoch) for key in batch]
        assert sorted(keys) == [SampleKey(epoch, photo) for photo in range(len(SIZES))]


def test_every_epoch_has_as_many_steps() -> None:
    sampler = BatchSampler(SIZES, 4, seed=0, first_step=0)
    assert {len(sampler.batches(epoch)) for epoch in range(20)} == {sampler.per_epoch} == {6}


def test_the_order_depends_on_the_seed() -> None:
    orders = [list(islice(BatchSampler(SIZES, 4, seed, 0), 20)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_every_epoch_has_a_new_order() -> None:
    sampler = BatchSampler(SIZES, 4, seed=0, first_step=0)
    orders = [[key.photo for batch in sampler.batches(epoch) for key in batch] for epoch in (0, 1)]
    assert orders[0] != orders[1]


@pytest.mark.parametrize("first", [0, 1, 5, 6, 7, 17])
def test_a_later_first_step_skips_the_steps_before(first: int) -> None:
    whole = list(islice(BatchSampler(SIZES, 4, 3, 0), 24))
    assert list(islice(BatchSampler(SIZES, 4, 3, first), 24 - first)) == whole[first:]


def test_photos_of_one_size_share_a_batch() -> None:
    batches = BatchSampler(SIZES, 3, seed=0, first_step=0).batches(0)
    mixed = [batch for batch in batches if len({SIZES[key.photo] for key in batch}) > 1]
    assert len(mixed) == 1  # the rest of 7 tall and 14 wide photos


def test_a_data_set_smaller_than_a_batch_is_one_step() -> None:
    assert BatchSampler(SIZES[:3], 8, 0, 0).per_epoch == 1


# ---------------------------------------------------------------- photos


def test_photos_are_resized(photos_to_train: DetectionDataset) -> None:
    image, target, photo = augmented(photos_to_train)[(0, 3)]
    assert image.dtype == torch.uint8
    assert min(image.shape[1:]) <= 64
    assert max(image.shape[1:]) <= 96
    assert photo == 3
    edges = torch.tensor([image.shape[2], image.shape[1]] * 2)
    assert ((target.boxes >= 0) & (target.boxes <= edges)).all()


def test_augmentation_depends_on_epoch_seed_and_photo_alone(
    photos_to_train: DetectionDataset,
) -> None:
    photos = augmented(photos_to_train)
    first = photos[(0, 3)][0]
    assert not torch.equal(first, photos[(1, 3)][0])
    assert not torch.equal(first, augmented(photos_to_train, seed=1)[(0, 3)][0])
    assert torch.equal(first, photos[(0, 3)][0])  # now from the cache
    other = augmented(photos_to_train)
    _ = other[(0, 1)], other[(5, 2)]
    assert torch.equal(first, other[(0, 3)][0])


def test_augmentation_does_not_change_cached_photos(photos_to_train: DetectionDataset) -> None:
    photos = augmented(photos_to_train)
    _ = photos[(0, 3)]
    before = photos.cache[3][0].clone()
    _ = [photos[(epoch, 3)] for epoch in range(8)]
    assert torch.equal(photos.cache[3][0], before)


@pytest.mark.parametrize("limit", [0, 40_000, 10**9])
def test_the_cache_stays_below_its_limit(photos_to_train: DetectionDataset, limit: int) -> None:
    photos = augmented(photos_to_train, cache_bytes=limit)
    _ = [photos[(0, photo)] for photo in range(len(photos))]
    masks = [target.masks for _, target in photos.cache.values() if target.masks is not None]
    assert len(masks) == len(photos.cache)
    held = sum(image.numel() for image, _ in photos.cache.values()) + sum(m.bits.nbytes for m in masks)
    assert held <= limit
    assert len(photos.cache) == {0: 0, 40_000: 2, 10**9: len(photos)}[limit]


def test_a_cached_photo_is_not_opened_again(
    photos_to_train: DetectionDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def count(path: Path) -> torch.Tensor:
        opened.append(path)
        return torch.zeros(3, *photos_to_train.sizes[0].tolist(), dtype=torch.uint8)

    monkeypatch.setattr(detection_task, "to_image", count)
    photos = augmented(photos_to_train)
    _ = [photos[(epoch, 0)] for epoch in range(3)]
    assert opened == [photos_to_train.path(0)]


def test_workers_send_masks(photos_to_train: DetectionDataset) -> None:
    photos = augmented(photos_to_train)
    batch = next(
        load_batches(photos, BatchSampler(padded_sizes(photos_to_train, TASK, CONFIG), 2, 0, 0), workers=1)
    )
    for target, image in zip(batch.targets, batch.images, strict=True):
        assert target.masks is not None
        assert target.masks.size == image.shape[1:]
        assert len(target.masks) == len(target.boxes)
    assert any(target.masks.known.any() for target in batch.targets if target.masks)


def test_the_cache_counts_masks(photos_to_train: DetectionDataset) -> None:
    bare, masks = augmented(photos_to_train, cache_bytes=0)[(0, 0)][1], photos_to_train.masks(0)
    assert bare.masks is not None
    assert masks is not None
    image = 3 * 64 * 85
    for limit, cached in ((image, 0), (image + masks.bits.nbytes, 1)):
        photos = augmented(photos_to_train, cache_bytes=limit)
        _ = photos[(0, 0)]
        assert len(photos.cache) == cached


# ---------------------------------------------------------------- segmentation and classification

TILED = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32, tile=48)
WHOLE = SimpleNamespace(shorter_side=64, longer_side=96, multiple_of=32, tile=0)
SQUARE = SimpleNamespace(shorter_side=32, longer_side=32, multiple_of=32)
TASKS: dict[str, tuple[Task, SimpleNamespace]] = {
    "tiles": (SegmentationTask(), TILED),
    "whole photos": (SegmentationTask(), WHOLE),
    "classification": (ClassificationTask(), SQUARE),
}


@pytest.fixture(scope="module", params=TASKS)
def of_task(request: pytest.FixtureRequest, demo: Path) -> tuple[TrainingDataset, BatchSampler]:
    """Samples of a task other than detection, and their sampler with batches of 4."""
    task, config = TASKS[request.param]
    recipe = Recipe(model="unet")
    labeled = task.read(demo, recipe).split("train")
    photos = TrainingDataset(
        labeled, task, config, task.combination(recipe, config, labeled.counts()), 0, 10**9
    )
    return photos, BatchSampler(padded_sizes(labeled, task, config), 4, 0, 0)


def test_labels_of_every_task_reach_the_batch(of_task: tuple[TrainingDataset, BatchSampler]) -> None:
    dataset, sampler = of_task
    alone, with_worker = (list(islice(load_batches(dataset, sampler, workers), 3)) for workers in (0, 1))
    for one, other in zip(alone, with_worker, strict=True):
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


def test_padded_sizes_hold_the_samples_of_every_task(of_task: tuple[TrainingDataset, BatchSampler]) -> None:
    dataset, sampler = of_task
    for item in range(4):
        image, _, _ = dataset[(0, item)]
        assert all(side <= padded for side, padded in zip(image.shape[1:], sampler.sizes[item], strict=True))


def test_the_cache_counts_label_maps(demo: Path) -> None:
    task = SegmentationTask()
    labeled = task.read(demo, Recipe(model="unet"))
    size = int(labeled.sizes[0].prod())
    for limit, cached in (
        (4 * size - 1, 0),
        (4 * size, 1),
    ):  # bytes per pixel: three for the color, one for the class
        combination = task.combination(Recipe(), TILED, labeled.counts())
        photos = TrainingDataset(labeled, task, TILED, combination, 0, limit)
        _ = photos[(0, 0)]
        assert len(photos.cache) == cached


# ---------------------------------------------------------------- batches


def batches(dataset: DetectionDataset, workers: int, count: int) -> list[TrainingBatch]:
    sampler = BatchSampler(padded_sizes(dataset, TASK, CONFIG), 4, 0, 0)
    return list(islice(load_batches(augmented(dataset), sampler, workers), count))


def test_batches_are_the_same_with_and_without_workers(photos_to_train: DetectionDataset) -> None:
    pairs = zip(*(batches(photos_to_train, workers, 6) for workers in (0, 1)), strict=True)
    for here, there in pairs:
        assert here.photos == there.photos
        assert all(torch.equal(a, b) for a, b in zip(here.images, there.images, strict=True))
        targets = zip(here.targets, there.targets, strict=True)
        assert all(torch.equal(a.boxes, b.boxes) for a, b in targets)


def test_padded_sizes_are_those_of_the_network(photos_to_train: DetectionDataset) -> None:
    preparation = Preparation(*SIZE, mean=(0.5,) * 3, std=(0.5,) * 3)
    photos = TrainingDataset(photos_to_train, TASK, CONFIG, Combination(DetectionAugmentation()), 0, 0)
    sizes = padded_sizes(photos_to_train, TASK, CONFIG)
    actual = [prepare([photos[(0, photo)][0]], preparation).pixels.shape[2:] for photo in range(6)]
    assert [tuple(shape) for shape in actual] == sizes[:6]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_photo_is_named_without_a_traceback(
    photos_to_train: DetectionDataset, tmp_path: Path, workers: int
) -> None:
    for file in photos_to_train.files.tolist():
        photo = tmp_path / file
        photo.parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((96, 96, 3), np.uint8)).save(photo)
    photo.write_bytes(photo.read_bytes()[:-80])  # the header stays valid
    damaged = replace(photos_to_train, root=tmp_path)
    with pytest.raises(PhotoError, match="damaged or truncated") as caught:
        batches(damaged, workers, 6)
    assert str(caught.value).startswith(f"{photo}: ")
    assert "Traceback" not in str(caught.value)


# ---------------------------------------------------------------- worker processes by spawn


def spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start workers as Windows and macOS do: a new interpreter imports what it is sent."""
    monkeypatch.setattr(loader, "DataLoader", partial(DataLoader, multiprocessing_context="spawn"))


def test_spawned_workers_give_the_same_batches(
    photos_to_train: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stored proposals, which a worker reads from disk."""
    stored = StoredProposals(tmp_path, photos_to_train.root)
    for photo in range(len(photos_to_train)):
        boxes = np.array([[1, 2, 30, 40], [0, 0, 9, 9]], np.float32)
        np.save(stored.file(photos_to_train.path(photo)), boxes)
    dataset = TrainingDataset(
        DatasetWithProposals(photos_to_train, stored),
        TASK,
        CONFIG,
        Combination(DetectionAugmentation()),
        0,
        0,
    )
    sampler = BatchSampler(padded_sizes(photos_to_train, TASK, CONFIG), 4, 0, 0)
    expected = next(load_batches(dataset, sampler, workers=0))
    spawned(monkeypatch)
    batch = next(load_batches(dataset, sampler, workers=1))
    assert batch.photos == expected.photos
    assert batch.proposals is not None
    assert expected.proposals is not None
    assert all(torch.equal(a, b) for a, b in zip(batch.images, expected.images, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(batch.proposals, expected.proposals, strict=True))


@pytest.mark.parametrize(
    ("model", "crop_policy"),
    [("faster-rcnn", "jitter"), ("ssd", "ssd"), ("unet", "jitter"), ("classifier", "jitter")],
)
def test_samples_of_every_model_can_be_sent_to_spawned_workers(
    demo: Path, model: str, crop_policy: CropPolicy
) -> None:
    recipe = Recipe(model=model, size=64, crop_policy=crop_policy)
    task = task_of(model)
    labeled = task.read(demo, recipe).split("train")
    config = network_config(labeled, recipe)
    dataset = TrainingDataset(labeled, task, config, task.combination(recipe, config, labeled.counts()), 0, 0)
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(copy[(0, 0)][0], dataset[(0, 0)][0])


def test_cached_proposals_can_be_sent_to_spawned_workers() -> None:
    proposals = ProposalCache(MODES["single"]).boxes
    assert pickle.loads(pickle.dumps(proposals)).__self__.config == MODES["single"]


# ---------------------------------------------------------------- several photos per sample

COMBINED = Recipe(model="mask-rcnn", copy_paste=0.7, mosaic=0.5, sampling="balanced")


def combined(dataset: DetectionDataset, recipe: Recipe = COMBINED) -> TrainingDataset:
    augmentation = TASK.combination(recipe, CONFIG, dataset.counts())
    return TrainingDataset(dataset, TASK, CONFIG, augmentation, 0, 10**9)


def equal_samples(ours: tuple[torch.Tensor, Target], theirs: tuple[torch.Tensor, Target]) -> bool:
    return torch.equal(ours[0], theirs[0]) and ours[1] == theirs[1]


def test_samples_of_several_photos_are_the_same_with_any_number_of_workers(
    photos_to_train: DetectionDataset,
) -> None:
    factors = photo_repeat_factors(photos_to_train.counts())
    sizes = padded_sizes(photos_to_train, TASK, CONFIG)
    found = []
    for workers in (0, 1, 2):
        sampler = BatchSampler(sizes, 4, 0, 0, factors)
        found.append(list(islice(load_batches(combined(photos_to_train), sampler, workers), 8)))
    for alone, *others in zip(*found, strict=True):
        for batch in others:
            assert batch.photos == alone.photos
            assert all(torch.equal(a, b) for a, b in zip(alone.images, batch.images, strict=True))
            assert alone.targets == batch.targets


def test_samples_of_several_photos_follow_from_their_key(photos_to_train: DetectionDataset) -> None:
    first, other = combined(photos_to_train), combined(photos_to_train)
    keys = [
        SampleKey(epoch, photo, repeat) for epoch in range(2) for photo in range(4) for repeat in range(2)
    ]
    expected = [first[key] for key in keys]
    found = [other[key] for key in reversed(keys)][::-1]
    assert all(equal_samples(a[:2], b[:2]) for a, b in zip(expected, found, strict=True))
    assert not torch.equal(first[SampleKey(0, 1, 0)][0], first[SampleKey(0, 1, 1)][0])


def test_mosaics_end_before_the_training_does(
    photos_to_train: DetectionDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = combined(photos_to_train, Recipe(model="mask-rcnn", mosaic=1.0))
    drawn: list[float] = []
    monkeypatch.setattr(Combination, "draw", lambda self, count, generator: drawn.append(progress) or 0)
    for progress in (0.0, 0.5, MOSAIC_END - 0.01, MOSAIC_END, 1.0):
        _ = photos[SampleKey(0, 1, 0, progress)]
    assert drawn == [0.0] * 3 + [0.5] * 3 + [MOSAIC_END - 0.01] * 3


def test_the_progress_changes_nothing_else(photos_to_train: DetectionDataset) -> None:
    photos = combined(photos_to_train, Recipe(model="mask-rcnn", copy_paste=1.0))
    early, late = (photos[SampleKey(3, 1, 0, progress)] for progress in (0.1, 0.99))
    assert equal_samples(early[:2], late[:2])


@pytest.mark.parametrize("recipe", [Recipe(copy_paste=1.0), Recipe(mosaic=1.0)])
def test_a_damaged_photo_that_is_used_with_another_is_named(
    photos_to_train: DetectionDataset, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> torch.Tensor:
        if path == photos_to_train.path(2):
            raise PhotoError(f"{path}: damaged")
        return torch.zeros(3, 96, 96, dtype=torch.uint8)

    monkeypatch.setattr(detection_task, "to_image", read)
    monkeypatch.setattr(Combination, "draw", lambda *_: 2)
    sample = combined(photos_to_train, recipe)[SampleKey(0, 1)]
    assert isinstance(sample, BadSample)
    assert sample.photo == 2
    assert str(photos_to_train.path(2)) in str(sample.error)


def test_photos_of_rare_classes_are_combined_more_often() -> None:
    factors = np.array([1.0, 1.0, 3.0])
    generator = np.random.default_rng(0)
    draws = [
        Combination(DetectionAugmentation(), repeat_factors=factors).draw(3, generator) for _ in range(2000)
    ]
    assert np.bincount(draws) / 2000 == pytest.approx(factors / 5, abs=0.04)
