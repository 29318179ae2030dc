"""The feed: batches of augmented photos for training, in an order that only the seed decides.

A step's photos and their augmentation follow from (seed, step), not from what was drawn before; so a
training that is resumed goes on as if it had never stopped, with any number of worker processes.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import BoxmaskError
from boxmask.masks import Masks
from boxmask.pipeline.images import Size
from boxmask.tasks.contract import Augment, Task
from boxmask.training.session import BoxesOf
from boxmask.types import Target

SampleKey = tuple[int, int]  # (epoch, photo)
PROPOSAL = -1  # the label of a box that travels with the photo's own


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """TrainingDataset of one step.

    images:    uint8 (3, H, W)
    targets:   what their labels say
    proposals: (P, 4) boxes in each, where the detector waits for them
    photos:    which photos of the data set they are
    """

    images: list[Tensor]
    targets: list[Any]
    proposals: list[Tensor] | None
    photos: list[int]


class TrainingDataset(TorchDataset[Any]):
    """Samples of a task, kept in memory as far as the bound allows, and augmented anew each time.

    dataset: the labeled photos, of the kind that the task reads
    config:  of the network
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
        self.room = cache_bytes

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, place: SampleKey) -> tuple[Tensor, Any, int] | BoxmaskError:
        epoch, photo = place
        try:
            image, target = self._sample(photo)
        except BoxmaskError as error:
            return error  # raised by `batches`: torch would wrap a worker's error in its traceback
        generator = np.random.default_rng((self.seed, epoch, photo))
        return *self.augmentation(image, target, generator), photo

    def _sample(self, photo: int) -> tuple[Tensor, Any]:
        if photo in self.cache:
            return self.cache[photo]
        sample = self.task.sample(self.dataset, photo, self.config)
        if (size := _bytes(*sample)) <= self.room:
            self.cache[photo] = sample
            self.room -= size
        return sample


@dataclass(frozen=True)
class DatasetWithProposals:
    """A detection set whose photos carry the proposals in them along with their labels."""

    dataset: DetectionDataset
    boxes: BoxesOf

    def __len__(self) -> int:
        return len(self.dataset)

    def path(self, photo: int) -> Path:
        """Where photo number `photo` lies."""
        return self.dataset.path(photo)

    def target(self, photo: int) -> Target:
        """Its labels and its proposals in one."""
        return with_proposals(self.dataset.target(photo), self.boxes(self.path(photo)))


def _bytes(image: Tensor, target: Any) -> int:
    """What a sample takes up in memory, with whatever its labels say of pixels."""
    labels, masks = getattr(target, "labels", None), getattr(target, "masks", None)
    parts = (image, labels, None if masks is None else masks.bits)
    return sum(part.nbytes for part in parts if part is not None)


def with_proposals(target: Target, proposals: Tensor) -> Target:
    """Labels and proposals in one, so that whatever moves the photo moves both; these have no outline."""
    proposals = proposals[(proposals[:, 2:] > proposals[:, :2]).all(dim=1)]  # rounding may have closed some
    labels = torch.full((len(proposals),), PROPOSAL)
    parts = ((target.boxes, proposals), (target.labels, labels), (target.ignore, labels != PROPOSAL))
    boxes, all_labels, ignore = (torch.cat(part) for part in parts)
    return Target(boxes, all_labels, ignore, _with_unknown(target.masks, len(proposals)))


def _with_unknown(masks: Masks | None, count: int) -> Masks | None:
    """The masks, and `count` more whose outlines are not known."""
    return None if masks is None else Masks.concatenate([masks, Masks.unknown(count, masks.size)], masks.size)


def split_proposals(joined: Target) -> tuple[Target, Tensor]:
    """What `with_proposals` put together."""
    real = joined.labels != PROPOSAL
    masks = None if joined.masks is None else joined.masks[real]
    return Target(joined.boxes[real], joined.labels[real], joined.ignore[real], masks), joined.boxes[~real]


class BatchSampler:
    """Which photos make up each step, from step `first` on, without end.

    Every epoch is a new order; photos of one shape go together, so that batches need little padding.
    """

    def __init__(self, shapes: list[tuple[int, int]], batch_size: int, seed: int, first: int) -> None:
        self.shapes, self.batch_size, self.seed, self.first = shapes, batch_size, seed, first

    @property
    def per_epoch(self) -> int:
        """BatchSampler in an epoch, the same in each."""
        return len(self.batches(0))

    def batches(self, epoch: int) -> list[list[SampleKey]]:
        """The batches of one epoch: each photo once, the last batch of a shape possibly smaller."""
        generator = np.random.default_rng((self.seed, epoch))
        waiting: dict[tuple[int, int], list[SampleKey]] = {}
        batches: list[list[SampleKey]] = []
        for photo in generator.permutation(len(self.shapes)).tolist():
            group = waiting.setdefault(self.shapes[photo], [])
            group.append((epoch, photo))
            if len(group) == self.batch_size:
                batches.append(waiting.pop(self.shapes[photo]))
        rest = [place for shape in sorted(waiting) for place in waiting[shape]]
        batches += [rest[i : i + self.batch_size] for i in range(0, len(rest), self.batch_size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def __iter__(self) -> Iterator[list[SampleKey]]:
        """One list of places a step."""
        epoch, within = divmod(self.first, self.per_epoch)
        while True:
            yield from self.batches(epoch)[within:]
            epoch, within = epoch + 1, 0


def padded_sizes(dataset: Any, task: Task[Any, Any], config: Any) -> list[Size]:
    """The padded size, (height, width), that each photo takes up in the network."""
    multiple = config.multiple_of
    sizes = [task.input_size((int(height), int(width)), config) for height, width in dataset.sizes]
    return [(-(-height // multiple) * multiple, -(-width // multiple) * multiple) for height, width in sizes]


def batches(photos: TrainingDataset, steps: BatchSampler, workers: int) -> Iterator[TrainingBatch]:
    """Batches for ever; with workers they are made while the network computes.

    Raises PhotoError for a photo that turns out damaged.
    """
    loader = DataLoader(
        photos,
        batch_sampler=steps,
        num_workers=workers,
        collate_fn=_collate_proposed if isinstance(photos.dataset, DatasetWithProposals) else _collate,
        worker_init_fn=_leave_ctrl_c_to_the_trainer,
        persistent_workers=workers > 0,
        prefetch_factor=3 if workers else None,
    )
    for batch in loader:
        if isinstance(batch, BoxmaskError):
            raise batch
        yield batch


def _collate(samples: list[tuple[Tensor, Any, int] | BoxmaskError]) -> TrainingBatch | BoxmaskError:
    sound = []
    for sample in samples:
        if isinstance(sample, BoxmaskError):
            return sample
        sound.append(sample)
    images, targets, photos = zip(*sound, strict=True)
    return TrainingBatch(list(images), list(targets), None, list(photos))


def _collate_proposed(samples: list[tuple[Tensor, Any, int] | BoxmaskError]) -> TrainingBatch | BoxmaskError:
    """The same, where labels and proposals are to be split_proposals."""
    batch = _collate(samples)
    if isinstance(batch, BoxmaskError):
        return batch
    targets, proposals = zip(*map(split_proposals, batch.targets), strict=True)
    return replace(batch, targets=list(targets), proposals=list(proposals))


def _leave_ctrl_c_to_the_trainer(worker: int) -> None:
    """The terminal sends Ctrl-C to every process; the trainer ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
