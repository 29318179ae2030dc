"""The stage of Selective SearchRegions, for the methods that wait for it; and how far its proposals reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import TrainingError
from boxmask.evaluation.proposals import ProposalRecall, best_overlaps, recall_from_overlaps
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.training.session import BoxesOf, Session, only_a_clock


def selective_search_boxes(session: Session) -> BoxesOf:
    """Selective SearchRegions's proposals by the detector's numbers, from the cache where they are there."""
    return ProposalCache(session.state.network.config.search).boxes


@dataclass
class SearchRegions:
    """Every photo of training and validation is searched once; the cache keeps what was found.

    A search that was stopped, or another training on the same photos, finds it there.
    """

    name: str = "Selective SearchRegions"
    share: float = 0.0

    begin = staticmethod(only_a_clock)

    def fit(self, session: Session) -> bool:
        """SearchRegions; say which part of the training objects can be found at all, and warn where few can."""
        boxes_of, best, windows = selective_search_boxes(session), [], []
        train, val = session.train, session.val
        paths = [*map(train.path, range(len(train))), *map(val.path, range(len(val)))]
        for number, path in enumerate(paths):
            if session.stop.asked:
                return False
            _require_time(session, number, len(paths))
            boxes = boxes_of(path)
            if number < len(train):
                best.append(best_overlaps(train, number, boxes))
                windows.append(len(boxes))
            session.report.count(number + 1, len(paths))
        for sentence in describe_recall(recall_from_overlaps(train, best, windows), train):
            session.report.say(sentence)
        return True


def _require_time(session: Session, done: int, photos: int) -> None:
    if session.seconds_left() == 0:
        needed = session.state.seconds / 60 * photos / max(1, done)
        raise TrainingError(
            f"Selective SearchRegions took all of the {session.recipe.minutes:g} minutes for {done} of {photos} "
            f"photos. Train anew with more --max-minutes: it takes about {needed:.0f}, less what is kept."
        )


def describe_recall(recall: ProposalRecall, train: DetectionDataset) -> list[str]:
    """In sentences: the recall, the classes that the proposals miss, and those with a single example."""
    sentences = [
        f"proposals: {recall.mean_proposals:.0f} a photo reach {recall.recall_50 or 0.0:.1%} of the training "
        f"objects at IoU 0.5, {recall.recall_70 or 0.0:.1%} at 0.7"
    ]
    missed = [name for name, one in recall.per_class.items() if one.recall_50 == 0]
    if missed:
        sentences.append(
            f"warning: no proposal reaches any training object of {', '.join(missed)} at IoU 0.5: such "
            "objects will hardly be found. Compare with --model faster-rcnn, which finds its own proposals."
        )
    counts = np.bincount(train.labels[train.counted], minlength=len(train.class_names))
    single = [name for name, count in zip(train.class_names, counts, strict=True) if count == 1]
    if single:
        sentences.append(f"warning: a single training example of {', '.join(single)}: label more of them.")
    return sentences
