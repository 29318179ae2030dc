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
from boxmask.training.session import Session, begin_clock, no_seconds

MAX_SHARE = 0.8  # of the minutes: a longer search leaves too little for the training
LONG_SHARE = 0.3  # of the minutes: a longer search is reported as soon as it can be told
FIRST_PHOTOS = 5  # after which it can be told


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
    with_validation: bool = False

    begin = staticmethod(begin_clock)
    seconds_needed = staticmethod(no_seconds)

    def fit(self, session: Session) -> bool:
        """Search the photos.

        Raises StopRequested at a stop, and TrainingError if the search takes most of the recipe's minutes.
        """
        proposals, train, val = cached_proposals(session), session.train, session.val
        overlaps, counts, has_noted = [], [], False
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
            has_noted = has_noted or _note_long_search(session, number + 1, len(paths))
        for sentence in describe_recall(recall_from_overlaps(train, overlaps, counts), train):
            session.report.message(sentence)
        return True


def _check_time(session: Session, done: int, total: int) -> None:
    """Raise TrainingError if the search takes more than its share of the recipe's minutes."""
    minutes = session.recipe.minutes
    if minutes is None or session.state.seconds < MAX_SHARE * 60 * minutes:
        return
    raise TrainingError(
        f"Selective Search took {session.state.seconds / 60:.1f} of the {minutes:g} minutes for {done} of "
        f"{total} photos, and takes about {_needed(session, done, total):.1f} minutes in all. That leaves "
        f"too little for the training. Raise {option('max_minutes')}. Photos that were searched already are "
        "cached."
    )


def _needed(session: Session, done: int, total: int) -> float:
    """The estimated minutes for all photos."""
    return session.state.clock.seconds / 60 * total / max(1, done)


def _note_long_search(session: Session, done: int, total: int) -> bool:
    """Report a search that takes a large part of the minutes, once it can be told; returns whether it did."""
    minutes, needed = session.recipe.minutes, _needed(session, done, total)
    if minutes is None or done < FIRST_PHOTOS or needed < LONG_SHARE * minutes:
        return False
    advice = ""
    if needed > MAX_SHARE * minutes:
        advice = f" That is too long: stop with Ctrl-C, and raise {option('max_minutes')}."
    session.report.message(
        f"note: Selective Search takes about {needed:.1f} minutes for {total} photos; --max-minutes is "
        f"{minutes:g}. Each photo is searched once: later trainings read the result from a cache.{advice}"
    )
    return True


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
