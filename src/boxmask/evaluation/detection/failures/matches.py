"""Which detection found which object at IoU 0.5, and which other objects each detection overlaps.

Detections are matched to objects by COCO's rules, as in `matching`. The IoU of all pairs in a photo is kept
for pairs of different classes as well, because a detection at the place of an object of another class is
another error than one where no object is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import Kind, counted_objects, flatten
from boxmask.evaluation.detection.coco_masks import object_rles, require_masks, to_coco_rle
from boxmask.evaluation.detection.grouping import to_xywh
from boxmask.evaluation.detection.matching import MAX_DETECTIONS
from boxmask.types import Detections

MIN_IOU = 0.5  # from which on a detection finds an object
NONE = -1  # in place of the row of an object or of the index of a detection


@dataclass(frozen=True, eq=False)
class PhotoMatches:
    """The D detections of a photo, highest score first, and its N objects.

    indices:    (D,) index into the detections of the photo
    found:      (D,) the row of the object that each detection found, or NONE
    found_iou:  (D,) and their IoU
    counted:    (D,) False if it found an object that does not count
    same, other: (D,) the row of the counted object of the same class, and of another class, that each
                detection overlaps most, or NONE; and these IoUs
    duplicate:  (D,) whether it overlaps an object of its class that another detection found
    pairs:      (S, 2) detections (0..D-1) and rows of counted objects of another class, at IoU 0.5 or more
    pair_ious:  (S,) their IoUs
    """

    indices: Int[np.ndarray, " D"]
    found: Int[np.ndarray, " D"]
    found_iou: Float[np.ndarray, " D"]
    counted: Bool[np.ndarray, " D"]
    same: Int[np.ndarray, " D"]
    same_iou: Float[np.ndarray, " D"]
    other: Int[np.ndarray, " D"]
    other_iou: Float[np.ndarray, " D"]
    duplicate: Bool[np.ndarray, " D"]
    pairs: Int[np.ndarray, "S 2"]
    pair_ious: Float[np.ndarray, " S"]


@dataclass(frozen=True, eq=False)
class Matches(PhotoMatches):
    """The M detections and N objects of all photos. Pairs hold detections 0..M-1.

    photos:   (M,) of each detection; photo by photo, highest score first
    boxes:    (M, 4)
    scores:   (M,)
    labels:   (M,)
    ranks:    (M,) the detections in the order of their scores, ties as in COCO
    found_by: (N,) the detection that found each object, or NONE
    objects:  (N,) whether each object counts
    """

    photos: Int[np.ndarray, " D"]
    boxes: Float[np.ndarray, "D 4"]
    scores: Float[np.ndarray, " D"]
    labels: Int[np.ndarray, " D"]
    ranks: Int[np.ndarray, " D"]
    found_by: Int[np.ndarray, " N"]
    objects: Bool[np.ndarray, " N"]

    def of_class(self, label: int) -> Int[np.ndarray, " C"]:
        """The detections of a class that count, highest score first."""
        return np.asarray(self.ranks[(self.labels[self.ranks] == label) & self.counted[self.ranks]])


def match_detections(
    dataset: DetectionDataset, detections: Sequence[Detections], kind: Kind = "bbox"
) -> Matches:
    """Match the detections of all photos. `detections[i]` belongs to photo i of `dataset`.

    Raises ValueError as `flatten` does, and for kind "segm" if detections have no masks.
    """
    flat = flatten(dataset, detections)
    objects = counted_objects(dataset, kind)
    crowd = dataset.crowd if kind == "bbox" else dataset.crowd | ~dataset.has_mask
    parts = [
        _match_photo(dataset, photo, found, kind, crowd, objects) for photo, found in enumerate(detections)
    ]
    counts = np.array([len(part.indices) for part in parts], dtype=np.int64)
    photos, firsts = np.repeat(np.arange(len(parts)), counts), np.cumsum(counts) - counts
    joined = _join(parts)
    sizes = np.array([len(found) for found in detections], dtype=np.int64)
    rows = joined["indices"] + (np.cumsum(sizes) - sizes)[photos]
    found_by = np.full(len(dataset.labels), NONE)
    has_found = np.flatnonzero(joined["found"] != NONE)
    found_by[joined["found"][has_found]] = has_found
    shift = np.repeat(firsts, [len(part.pairs) for part in parts])
    return Matches(
        **joined | {"pairs": joined["pairs"] + shift[:, None] * [1, 0]},
        photos=photos,
        boxes=flat.boxes[rows],
        scores=flat.scores[rows],
        labels=flat.labels[rows],
        ranks=_ranks(dataset, photos, flat.scores[rows]),
        found_by=found_by,
        objects=objects,
    )


def _join(parts: Sequence[PhotoMatches]) -> dict[str, Any]:
    """The fields of all photos."""
    nothing, no_iou = np.zeros(0, np.int64), np.zeros(0)
    no, no_pair = np.zeros(0, np.bool_), np.zeros((0, 2), np.int64)
    no_photo = PhotoMatches(
        nothing, nothing, no_iou, no, nothing, no_iou, nothing, no_iou, no, no_pair, no_iou
    )
    names = [field.name for field in fields(PhotoMatches)]
    return {name: np.concatenate([getattr(part, name) for part in (no_photo, *parts)]) for name in names}


def _ranks(
    dataset: DetectionDataset, photos: Int[np.ndarray, " M"], scores: Float[np.ndarray, " M"]
) -> Int[np.ndarray, " M"]:
    """By score; equal scores by the id of the photo, as in pycocotools."""
    place = np.empty(len(dataset), dtype=np.int64)
    place[np.argsort(dataset.image_ids, kind="stable")] = np.arange(len(dataset))
    return np.lexsort((np.arange(len(photos)), place[photos], -scores))


# ---------------------------------------------------------------- one photo


def _match_photo(
    dataset: DetectionDataset,
    photo: int,
    detections: Detections,
    kind: Kind,
    all_crowd: Bool[np.ndarray, " M"],
    all_objects: Bool[np.ndarray, " M"],
) -> PhotoMatches:
    """Match the detections of one photo.

    all_crowd, all_objects: of the objects of all photos, which are crowd regions, and which count
    """
    indices, rows = _top(detections), dataset.rows(photo)
    crowd, objects = all_crowd[rows], all_objects[rows]
    ious = _ious(dataset, photo, detections[indices], crowd, kind)
    is_same = detections.labels[indices][:, None] == dataset.labels[rows]
    found, counted = _match_classes(np.where(is_same, ious, 0.0), crowd, objects)
    finds = counted & (found != NONE)
    same, same_iou = _most(np.where(is_same & objects, ious, 0.0), rows.start)
    other, other_iou = _most(np.where(~is_same & objects, ious, 0.0), rows.start)
    is_found = np.isin(np.arange(len(objects)), found[finds])
    pairs = np.argwhere(~is_same & objects & (ious >= MIN_IOU))
    found_iou = np.zeros(len(found))
    found_iou[finds] = ious[finds, found[finds]]
    return PhotoMatches(
        indices,
        np.where(finds, found + rows.start, NONE),
        found_iou,
        counted,
        same,
        same_iou,
        other,
        other_iou,
        (is_same & is_found & (ious >= MIN_IOU)).any(axis=1),
        pairs + np.array([0, rows.start]),
        ious[tuple(pairs.T)],
    )


def _top(detections: Detections) -> Int[np.ndarray, " D"]:
    """The detections with the highest scores, at most 100 of each class, highest score first."""
    by_score = np.argsort(-detections.scores.astype(np.float64), kind="stable")
    labels = detections.labels[by_score]
    if len(labels) <= MAX_DETECTIONS:
        return by_score
    number = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        of_class = labels == label
        number[of_class] = np.arange(of_class.sum())
    return by_score[number < MAX_DETECTIONS]


def _ious(
    dataset: DetectionDataset,
    photo: int,
    detections: Detections,
    crowd: Bool[np.ndarray, " N"],
    kind: Kind,
) -> Float[np.ndarray, "D N"]:
    """For a crowd region, the share of the detection inside it."""
    if not len(detections) or not len(crowd):
        return np.zeros((len(detections), len(crowd)))
    flags = crowd.astype(np.int64).tolist()
    if kind == "segm":
        found, labeled = to_coco_rle(require_masks(detections.masks)), object_rles(dataset, photo)
        return np.asarray(hotcoco_mask.iou(found, labeled, flags))
    return np.asarray(
        hotcoco_mask.iou(to_xywh(detections.boxes), to_xywh(dataset.boxes[dataset.rows(photo)]), flags)
    )


def _match_classes(
    ious: Float[np.ndarray, "D N"], crowd: Bool[np.ndarray, " N"], objects: Bool[np.ndarray, " N"]
) -> tuple[Int[np.ndarray, " D"], Bool[np.ndarray, " D"]]:
    """The object that each detection finds, or NONE, and whether the detection counts.

    ious: 0 for pairs of different classes; `objects` are those that count
    """
    found, counted = np.full(len(ious), NONE), np.ones(len(ious), dtype=np.bool_)
    free = np.ones(len(crowd), dtype=np.bool_)
    for detection in np.flatnonzero((ious >= MIN_IOU).any(axis=1)).tolist():
        reached = np.flatnonzero(free & (ious[detection] >= MIN_IOU))
        if len(reached):
            preferred = reached[objects[reached]]
            candidates = preferred if len(preferred) else reached
            from_the_end = candidates[::-1]  # of equal overlaps the last, as in pycocotools
            taken = int(from_the_end[ious[detection, from_the_end].argmax()])
            free[taken] = crowd[taken]
            found[detection], counted[detection] = taken, objects[taken]
    return found, counted


def _most(
    ious: Float[np.ndarray, "D N"], first_row: int
) -> tuple[Int[np.ndarray, " D"], Float[np.ndarray, " D"]]:
    """The row of the object that each detection overlaps most, or NONE, and their IoU."""
    if not ious.shape[1]:
        return np.full(len(ious), NONE), np.zeros(len(ious))
    highest = ious.max(axis=1)
    return np.where(highest > 0, ious.argmax(axis=1) + first_row, NONE), highest
