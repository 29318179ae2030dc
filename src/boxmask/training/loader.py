"""The data loader: batches of augmented photos, in an order that depends on the seed alone.

The photos of a step and their augmentation follow from (seed, step), not from earlier draws. A resumed
training therefore continues with the same batches, for any number of worker processes.

Workers may be started by any method: all that is sent to them can be pickled. The start method is the
platform's (fork or forkserver on Linux, spawn on Windows and macOS).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from boxmask.data.augmentation.combination import Combination, LabeledImage
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.errors import BoxmaskError, LabelError, PhotoError
from boxmask.photos.pillow_warnings import ignore_pillow_warnings
from boxmask.tasks.contract import Task
from boxmask.training.proposals import DatasetWithProposals, split_proposals
from boxmask.training.sampler import BatchSampler, SampleKey
from boxmask.training.signals import hold_back_signals, prepare_worker

Sample: TypeAlias = tuple[Tensor, Any, int]
"""Image, target, index of the photo."""

READ_ERRORS = (PhotoError, LabelError)
"""Errors of a photo or label map that was deleted or damaged since the training began."""


@dataclass(frozen=True, slots=True)
class BadSample:
    """The error of a sample that cannot be made. It is not raised: torch would wrap it in a traceback."""

    photo: int
    error: BoxmaskError


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """The photos of one step.

    images:    uint8 (3, H, W)
    targets:   the labels of each photo, as the task gives them
    proposals: (P, 4) boxes in each image; None where the detector proposes its own
    photos:    the index of each photo in the data set
    errors:    of the photos that are left out because they cannot be read any more, by their index
    """

    images: list[Tensor]
    targets: list[Any]
    proposals: list[Tensor] | None
    photos: list[int]
    errors: dict[int, BoxmaskError] = field(default_factory=dict)


Batches: TypeAlias = Generator[TrainingBatch, None, None]
"""Batches without end. Closing the generator ends the worker processes."""


class TrainingDataset(TorchDataset[Any]):
    """Augmented samples of a task. Photos are cached before augmentation, up to `cache_bytes`.

    dataset:      the labeled photos, as the task reads them
    config:       the network's config
    augmentation: of single photos, or with several
    """

    def __init__(
        self,
        dataset: Any,
        task: Task[Any, Any],
        config: Any,
        augmentation: Combination,
        seed: int,
        cache_bytes: int,
    ) -> None:
        self.dataset, self.task, self.config = dataset, task, config
        self.combination, self.seed = augmentation, seed
        self.cache: dict[int, LabeledImage] = {}
        self.cache_bytes_left = cache_bytes

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: SampleKey | tuple[int, int]) -> Sample | BadSample:
        """The sample, or the error of the first of its photos that cannot be read."""
        key = SampleKey(*key)
        generator, combination = key.generator(self.seed), self.combination
        opened = [key.photo]

        def another() -> LabeledImage:
            opened.append(combination.draw(len(self), generator))
            return self._read(opened[-1])

        try:
            image, target = self._read(key.photo)
            sample = combination(image, target, generator, another, key.progress)
        except BoxmaskError as error:
            return BadSample(opened[-1], error)
        return *sample, key.photo

    def _read(self, photo: int) -> LabeledImage:
        if photo in self.cache:
            return self.cache[photo]
        sample = self.task.sample(self.dataset, photo, self.config)
        if (size := _num_bytes(*sample)) <= self.cache_bytes_left:
            self.cache[photo] = sample
            self.cache_bytes_left -= size
        return sample


def _num_bytes(image: Tensor, target: Any) -> int:
    """Return the memory that an image takes with its label map or masks."""
    labels, masks = getattr(target, "labels", None), getattr(target, "masks", None)
    parts = (image, labels, None if masks is None else masks.bits)
    return sum(part.nbytes for part in parts if part is not None)


def load_batches(
    dataset: TrainingDataset, sampler: BatchSampler, workers: int, on_bad_photos: OnBadPhotos = "error"
) -> Batches:
    """Yield batches without end; with workers, they are prepared while the network computes.

    A photo that cannot be read raises its PhotoError or LabelError. If `on_bad_photos` is "skip", it is left
    out of its batch instead, which may then be empty. The other batches stay the same.
    """
    loader = DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=_collate_proposals if isinstance(dataset.dataset, DatasetWithProposals) else _collate,
        worker_init_fn=_init_worker,
        persistent_workers=workers > 0,
        prefetch_factor=3 if workers else None,
        generator=torch.Generator(),  # otherwise the workers' seeds come from torch's default generator
    )
    with hold_back_signals():
        iterator = iter(loader)
    processes = list(getattr(iterator, "_workers", ()))
    try:
        for batch in iterator:
            for error in batch.errors.values():
                if on_bad_photos == "error" or not isinstance(error, READ_ERRORS):
                    raise error
            yield batch
    finally:
        del loader, iterator  # ends the workers
        for process in processes:
            if process.is_alive():  # still at work on a photo; it ignores torch's SIGTERM
                process.kill()


def _collate(samples: list[Sample | BadSample]) -> TrainingBatch:
    """Make a batch of samples."""
    batch = TrainingBatch([], [], None, [])
    for sample in samples:
        if isinstance(sample, BadSample):
            batch.errors[sample.photo] = sample.error
        else:
            image, target, photo = sample
            batch.images.append(image)
            batch.targets.append(target)
            batch.photos.append(photo)
    return batch


def _collate_proposals(samples: list[Sample | BadSample]) -> TrainingBatch:
    """Make a batch of samples whose targets hold proposals."""
    batch = _collate(samples)
    pairs = [split_proposals(target) for target in batch.targets]
    return replace(batch, targets=[target for target, _ in pairs], proposals=[boxes for _, boxes in pairs])


def _init_worker(number: int) -> None:
    prepare_worker()
    ignore_pillow_warnings()
    torch.set_num_threads(1)
