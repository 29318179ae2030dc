"""The stage of Selective Search, for the methods that need external proposals, and their recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import PhotoError, TrainingError
from boxmask.evaluation.proposals import ProposalRecall, best_overlaps, recall_from_overlaps
from boxmask.options import option
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.training.proposals import ProposalSource
from boxmask.training.session import Session, begin_clock


def cached_proposals(session: Session) -> ProposalSource:
    """Return Selective Search with the detector's settings; each photo is searched once and then cached."""
    return ProposalCache(session.state.network.config.search).boxes


@dataclass
class SearchRegions:
    """Search every training and validation photo once, and report the recall of the proposals.

    Photos that were searched before, by a stopped or by another training, are read from the cache.
    """

    name: str = "Selective Search"
    time_share: float = 0.0

    begin = staticmethod(begin_clock)

    def fit(self, session: Session) -> bool:
        """Search the photos.

        Raises StopRequested at a stop, and TrainingError if the search takes all of the recipe's minutes.
        """
        proposals, train, val = cached_proposals(session), session.train, session.val
        overlaps, counts = [], []
        paths = [*map(train.path, range(len(train))), *map(val.path, range(len(val)))]
        for number, path in enumerate(paths):
            session.stop.check()
            session.state.clock.skip_pause()
            _check_time(session, number, len(paths))
            try:
                boxes = proposals(path)
            except PhotoError as error:
                session.leave_out(error)
                boxes = torch.zeros(0, 4)
            if number < len(train):
                overlaps.append(best_overlaps(train, number, boxes))
                counts.append(len(boxes))
            session.report.advance(number + 1, len(paths))
        for sentence in describe_recall(recall_from_overlaps(train, overlaps, counts), train):
            session.report.message(sentence)
        return True


def _check_time(session: Session, done: int, total: int) -> None:
    if session.seconds_left() == 0:
        needed = session.state.seconds / 60 * total / max(1, done)
        raise TrainingError(
            f"Selective Search took all of the {session.recipe.minutes:g} minutes for {done} of {total} "
            f"photos, and takes about {needed:.0f} minutes in all. Raise {option('max_minutes')}. "
            "Photos that were searched already are cached."
        )


def describe_recall(recall: ProposalRecall, train: DetectionDataset) -> list[str]:
    """Return sentences on the recall, the classes without any recall, and those with a single example."""
    sentences = [
        f"proposals: {recall.mean_proposals:.0f} per photo cover {recall.recall_50 or 0.0:.1%} of the "
        f"training objects at IoU 0.5, {recall.recall_70 or 0.0:.1%} at 0.7"
    ]
    missed = [name for name, class_recall in recall.per_class.items() if class_recall.recall_50 == 0]
    if missed:
        sentences.append(
            f"warning: no proposal covers any training object of {', '.join(missed)} at IoU 0.5. The "
            "detector will hardly find such objects. Try --model faster-rcnn, which makes its own proposals."
        )
    counts = np.bincount(train.labels[train.counted], minlength=len(train.class_names))
    single = [name for name, count in zip(train.class_names, counts, strict=True) if count == 1]
    if single:
        sentences.append(f"warning: only one training example of {', '.join(single)}. Label more of them.")
    return sentences
