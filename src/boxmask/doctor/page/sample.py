"""Choose some labeled photos that together show every class in every split."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from boxmask.data.formats.labels import Labels

_TURNS_PER_EMPTY_PHOTO = 4
"""Photos without objects are chosen in each fourth turn, because they show less."""


def sample_photos(labels: Labels, max_photos: int) -> list[int]:
    """The indices of up to `max_photos` photos that exist, those to show first in front.

    Each turn adds a photo per class and split, unless enough of the chosen photos show this class already.
    The same labels always give the same photos.
    """
    photos, cells = _photos_and_cells(labels)
    num_chosen = min(max_photos, len(np.unique(photos)))
    starts = np.searchsorted(photos, np.arange(len(labels.photos) + 1))
    queues = {cell: iter(members.tolist()) for cell, members in _photos_by_cell(photos, cells).items()}
    num_shown = dict.fromkeys(queues, 0)
    chosen: dict[int, None] = {}
    turn = 0
    while len(chosen) < num_chosen:
        for cell, queue in queues.items():
            if num_shown[cell] > turn or (cell < 0 and turn % _TURNS_PER_EMPTY_PHOTO):
                continue
            photo = next((photo for photo in queue if photo not in chosen), None)
            if photo is not None and len(chosen) < num_chosen:
                chosen[photo] = None
                for shown in cells[starts[photo] : starts[photo + 1]].tolist():
                    num_shown[shown] += 1
        turn += 1
    return list(chosen)


def _photos_and_cells(labels: Labels) -> tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"]]:
    """The photos, sorted, and a number for each class and split that they show; below 0 for no object."""
    exists = np.array([not photo.missing_name for photo in labels.photos], dtype=bool)
    names = [photo.split or "" for photo in labels.photos]
    num_splits = len(set(names))
    splits = np.unique(np.array(names, dtype=np.str_), return_inverse=True)[1]
    pairs = np.stack([labels.photo_of, labels.labels], axis=1)
    empty = np.flatnonzero(np.bincount(labels.photo_of, minlength=len(names)) == 0)
    pairs = np.concatenate([pairs, np.stack([empty, np.full(len(empty), -1)], axis=1)])
    pairs = np.unique(pairs[exists[pairs[:, 0]]], axis=0)
    return pairs[:, 0], pairs[:, 1] * num_splits + splits[pairs[:, 0]]


def _photos_by_cell(
    photos: Int[np.ndarray, " M"], cells: Int[np.ndarray, " M"]
) -> dict[int, Int[np.ndarray, " N"]]:
    """The photos of each cell, both in random order, so that photos and classes come from everywhere."""
    generator = np.random.default_rng(0)
    shuffled = generator.permutation(len(photos))
    order = shuffled[np.argsort(cells[shuffled], kind="stable")]
    numbers, starts = np.unique(cells[order], return_index=True)
    members = np.split(photos[order], starts[1:])
    return {int(numbers[n]): members[n] for n in generator.permutation(len(numbers)).tolist()}
