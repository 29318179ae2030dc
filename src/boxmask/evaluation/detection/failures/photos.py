"""How much labels and detections disagree about each photo.

The suspicion against the labels of a photo is the sum of the scores of the detections that contradict them.
The score of a missing label is multiplied by 1 + the share of the class's objects in the photo that have no
label: a class without any label is more often forgotten than one with many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import photo_of_objects
from boxmask.evaluation.detection.failures.analysis import SuspectLabel
from boxmask.evaluation.detection.failures.kept import Kept
from boxmask.evaluation.detection.failures.make_cases import to_box
from boxmask.evaluation.detection.failures.matches import NONE, Matches
from boxmask.evaluation.failures.contract import PhotoFailures
from boxmask.messages import format_count


def rank_photos(
    dataset: DetectionDataset, matches: Matches, kept: Kept, suspects: Sequence[SuspectLabel]
) -> tuple[PhotoFailures, ...]:
    """Every photo: those with labels that are probably missing or wrong first, then by disagreement."""
    num_photos = len(dataset)
    wrong = kept.detections & (matches.found == NONE)
    missed = matches.objects & ~kept.found
    wrong_scores = np.bincount(matches.photos[wrong], matches.scores[wrong], num_photos).tolist()
    missed_counts = np.bincount(photo_of_objects(dataset)[missed], minlength=num_photos).tolist()
    names = {name: label for label, name in enumerate(dataset.class_names)}
    by_photo: dict[int, list[SuspectLabel]] = defaultdict(list)
    for suspect in suspects:
        by_photo[suspect.case.photo].append(suspect)
    unexplained = _unexplained(matches, np.flatnonzero(wrong), suspects)
    photos = [
        PhotoFailures(
            photo,
            str(dataset.files[photo]),
            wrong_scores[photo] + missed_counts[photo],
            _suspicion(by_photo[photo], Counter(dataset.labels[dataset.rows(photo)].tolist()), names),
            _describe(by_photo[photo], missed_counts[photo], unexplained[photo]),
        )
        for photo in range(num_photos)
    ]
    return tuple(sorted(photos, key=lambda each: (-each.suspicion, -each.disagreement)))


def _suspicion(suspects: Sequence[SuspectLabel], labeled: Counter[int], label_of: Mapping[str, int]) -> float:
    """How much speaks against the labels of a photo; `labeled` are its objects of each class."""
    contradictions = [(each.kind, each.case.predicted or "", each.case.score or 0.0) for each in suspects]
    missing = Counter(name for kind, name, _ in contradictions if kind == "missing")
    share = {name: count / (count + labeled[label_of[name]]) for name, count in missing.items()}
    return sum(
        score * (1 + share[name]) if kind == "missing" else score
        for kind, name, score in contradictions
        if kind != "bad box"
    )


def _unexplained(
    matches: Matches, wrong: Int[np.ndarray, " W"], suspects: Sequence[SuspectLabel]
) -> Counter[int]:
    """In each photo, the number of wrong detections that are no evidence against a label."""
    explained = {(suspect.case.photo, suspect.case.found_box) for suspect in suspects}
    return Counter(
        int(matches.photos[row])
        for row in wrong.tolist()
        if (int(matches.photos[row]), to_box(matches.boxes[row])) not in explained
    )


def _describe(suspects: Sequence[SuspectLabel], missed: int, wrong: int) -> str:
    """For example "12 labels are probably missing (11 RBC, 1 WBC), 2 objects are not found".

    wrong: number of wrong detections that are no evidence against a label
    """
    missing = Counter(suspect.case.predicted for suspect in suspects if suspect.kind == "missing")
    wrong_class = sum(suspect.kind == "wrong class" for suspect in suspects)
    bad_box = sum(suspect.kind == "bad box" for suspect in suspects)
    classes = ", ".join(f"{count} {name}" for name, count in missing.most_common())
    parts = [
        (missing.total(), "label", f"probably missing ({classes})"),
        (wrong_class, "label", "probably of the wrong class"),
        (bad_box, "box", "probably badly placed"),
        (missed, "object", "not found"),
        (wrong, "other detection" if suspects else "detection", "wrong"),
    ]
    texts = [
        f"{format_count(count, noun)} {'is' if count == 1 else 'are'} {text}"
        for count, noun, text in parts
        if count
    ]
    return ", ".join(texts) if texts else "labels and detections agree"
