"""Choose photos by disagreement and variety."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from boxmask.messages import format_count

CANDIDATES = 4  # times as many as are chosen: those on which the models disagree most


@dataclass(frozen=True)
class ChosenPhoto:
    """A photo to label.

    disagreement: of the models about it, 0 to 1
    distance:     to the nearest labeled photo or photo chosen before it, 0 to 2
    """

    photo: Path
    disagreement: float
    distance: float


@dataclass(frozen=True)
class Chosen:
    """The photos to label next, in order.

    candidates: number of photos that were looked at for variety
    pool:       number of photos in the pool
    models:     number of models that were asked
    """

    photos: tuple[ChosenPhoto, ...]
    candidates: int
    pool: int
    models: int

    def sentence(self) -> str:
        """How the photos were chosen."""
        return (
            f"Label next: {format_count(len(self.photos), 'photo')} of {self.pool:,}. Of the "
            f"{self.candidates:,} on which {self.models:,} models disagree most, they are the least like the "
            "labeled photos and one another."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {
            "sentence": self.sentence(),
            "photos": [
                {"photo": str(one.photo), "disagreement": one.disagreement, "distance": one.distance}
                for one in self.photos
            ],
        }


def choose(
    photos: Sequence[Path],
    disagreements: Float[np.ndarray, " P"],
    features: Float[np.ndarray, "P C"],
    labeled: Float[np.ndarray, "L C"],
    count: int,
    models: int,
) -> Chosen:
    """Choose `count` of P photos: farthest-first among those on which the models disagree most.

    Farthest-first: Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985, as for core
    sets in Sener and Savarese, 2018 (arXiv:1708.00489).

    features: of each photo, with length 1
    labeled:  the features of the labeled photos
    """
    order = np.argsort(-disagreements, kind="stable")[: max(count, CANDIDATES * count)]
    chosen = [
        ChosenPhoto(photos[order[index]], float(disagreements[order[index]]), distance)
        for index, distance in farthest_first(features[order], labeled, count)
    ]
    return Chosen(tuple(chosen), len(order), len(photos), models)


def farthest_first(
    features: Float[np.ndarray, "P C"], labeled: Float[np.ndarray, "L C"], count: int
) -> list[tuple[int, float]]:
    """Up to `count` photos by index, each the farthest from the labeled and the chosen ones, and how far."""
    nearest = _distances(features, labeled).min(axis=1, initial=np.inf)
    free: Int[np.ndarray, " F"] = np.arange(len(features))
    chosen: list[tuple[int, float]] = []
    while len(free) and len(chosen) < count:
        index = int(free[nearest[free].argmax()])
        chosen.append((index, float(min(nearest[index], 2.0))))
        nearest = np.minimum(nearest, _distances(features, features[index : index + 1])[:, 0])
        free = free[free != index]
    return chosen


def _distances(first: Float[np.ndarray, "A C"], second: Float[np.ndarray, "B C"]) -> Float[np.ndarray, "A B"]:
    """The Euclidean distances of vectors of length 1: (A, C), (B, C) -> (A, B)."""
    return np.asarray(np.sqrt(np.maximum(0.0, 2.0 - 2.0 * first @ second.T)))
