"""What a model found in the photos: its results, and the proposals that they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from boxmask.comparison.contract import Results
from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.folds import PooledItems
from boxmask.comparison.jobs import Job
from boxmask.comparison.photos import ComparedPhotos
from boxmask.comparison.proposals import PROPOSALS, open_proposals
from boxmask.comparison.results import Found, open_results, read_found


@dataclass(frozen=True)
class FoundByModel:
    """What a model found.

    results:     result i belongs to evaluated photo i
    class_names: of the model; with folds, of any of its trainings
    proposals:   (P, 4) for each photo; None for models that make none
    facts:       what else is known of the model, with folds of the first training; None for another tool's
    """

    results: Results
    class_names: tuple[str, ...]
    proposals: Sequence[Tensor] | None = None
    facts: Found | None = None


def read_found_by(jobs: Sequence[Job], photos: ComparedPhotos, folder: ComparisonFolder) -> FoundByModel:
    """What a model found, which is complete; with folds, what its trainings found, each in its photos.

    Raises OutputError if a file is missing or damaged.
    """
    facts, results, proposals = [], [], []
    for job in jobs:
        found = read_found(folder.model(job.slug))
        assert found is not None
        facts.append(found)
        results.append(open_results(folder.model(job.slug), found, photos.files(job)))
        proposals.append(open_proposals(folder.model(job.slug) / PROPOSALS))
    class_names = tuple(dict.fromkeys(name for found in facts for name in found.class_names))
    if len(jobs) == 1:
        return FoundByModel(results[0], class_names, proposals[0], facts[0])
    indices = [photos.indices(job) for job in jobs]
    known = [each for each in proposals if each is not None]
    pooled = PooledItems(known, indices) if len(known) == len(jobs) else None
    all_results: Any = PooledItems(results, indices)  # of one kind: that of the labels
    return FoundByModel(all_results, class_names, pooled, facts[0])
