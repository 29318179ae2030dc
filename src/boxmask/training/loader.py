"""The data loader: batches of augmented photos, in an order that depends on the seed alone.

The photos of a step and their augmentation follow from (seed, step), not from earlier draws. A resumed
training therefore continues with the same batches, for any number of worker processes.

Workers may be started by any method: all that is sent to them can be pickled. The start method is the
platform's (fork or forkserver on Linux, spawn on Windows and macOS).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from boxmask.data.photo_checks import OnBadPhotos
from boxmask.errors import BoxmaskError, LabelError, PhotoError
from boxmask.photos.pillow_warnings import ignore_pillow_warnings
from boxmask.pipeline.images import Size
from boxmask.tasks.contract import Augment, Task
from boxmask.training.proposals import DatasetWithProposals, split_proposals
from boxmask.training.signals import hold_back_signals, prepare_worker

SampleKey: TypeAlias = tuple[int, int]
"""(epoch, index of the photo)."""

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
    """Augmented samples of a task. Samples are cached before augmentation, up to `cache_bytes`.

    dataset: the labeled photos, as the task reads them
    config:  the network's config
    """

    def __init__(
        self,
        dataset: Any,
        task: Task[Any, Any],
        config: Any,
        augmentation: Augment,
        seed: int,
        cache_bytes: int,
    ) -> None:
        self.dataset, self.task, self.config = dataset, task, config
        self.augmentation, self.seed = augmentation, seed
        self.cache: dict[int, tuple[Tensor, Any]] = {}
        self.cache_bytes_left = cache_bytes

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: SampleKey) -> Sample | BadSample:
        epoch, photo = key
        try:
            image, target = self._read(photo)
        except BoxmaskError as error:
            return BadSample(photo, error)
        generator = np.random.default_rng((self.seed, epoch, photo))
        return *self.augmentation(image, target, generator), photo

    def _read(self, photo: int) -> tuple[Tensor, Any]:
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


class BatchSampler:
    """Yields the photos of each step, from step `first_step` on, without end.

    Each epoch has a new order. Photos of the same padded size share a batch, which keeps padding small.

    sizes: the padded size of each photo
    """

    def __init__(self, sizes: list[Size], batch_size: int, seed: int, first_step: int) -> None:
        self.sizes, self.batch_size, self.seed, self.first_step = sizes, batch_size, seed, first_step

    @property
    def per_epoch(self) -> int:
        """The number of batches per epoch, the same for all epochs."""
        return len(self.batches(0))

    def batches(self, epoch: int) -> list[list[SampleKey]]:
        """Return the batches of one epoch, with each photo once. The last ones may be smaller or mixed."""
        generator = np.random.default_rng((self.seed, epoch))
        open_batches: dict[Size, list[SampleKey]] = {}
        batches: list[list[SampleKey]] = []
        for photo in generator.permutation(len(self.sizes)).tolist():
            batch = open_batches.setdefault(self.sizes[photo], [])
            batch.append((epoch, photo))
            if len(batch) == self.batch_size:
                batches.append(open_batches.pop(self.sizes[photo]))
        rest = [key for size in sorted(open_batches) for key in open_batches[size]]
        batches += [rest[i : i + self.batch_size] for i in range(0, len(rest), self.batch_size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def __iter__(self) -> Iterator[list[SampleKey]]:
        """Yield one list of sample keys per step."""
        epoch, step_in_epoch = divmod(self.first_step, self.per_epoch)
        while True:
            yield from self.batches(epoch)[step_in_epoch:]
            epoch, step_in_epoch = epoch + 1, 0


def padded_sizes(dataset: Any, task: Task[Any, Any], config: Any) -> list[Size]:
    """Return the (height, width) of each photo in the network, padding included."""
    multiple = config.multiple_of
    sizes = [task.input_size((int(height), int(width)), config) for height, width in dataset.sizes]
    return [(-(-height // multiple) * multiple, -(-width // multiple) * multiple) for height, width in sizes]


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
