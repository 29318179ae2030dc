"""Average precision and recall as COCO defines them (Lin et al. 2014; cocodataset.org, "Detection
Evaluation"), computed by hotcoco and equal to pycocotools.

A crowd region (`iscrowd`) takes any number of detections that lie in it, and they count neither for nor
against. COCO knows no `difficult`, and pycocotools overwrites an annotation's own `ignore` with `iscrowd`;
but it also ignores, in each size bin, the objects whose area is outside of the bin, and matches them by
IoU, one detection each. So a difficult object is handed over with an area that no bin holds: found or not,
it counts neither for nor against. (A second detection of it counts against, unlike in `voc`.)

Masks are judged in the same way by the IoU of their pixels (kind "segm"); an object whose outline is not
known is left out of that (see `object_masks`), and a detection whose mask has no pixel is wrong. The size of
a detection is then that of its mask, as where pycocotools is given results without boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hotcoco import COCO, COCOeval
from numpy.typing import NDArray

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import (
    FlatDetections,
    Kind,
    flatten,
    objects_by_class,
    photo_of_objects,
)
from boxmask.evaluation.detection.coco_masks import RunLengths, compressed, found_masks, object_outlines
from boxmask.types import Detections

OUTSIDE_ALL_SIZES = -1.0  # an area that no size bin holds: ignored in all of them, also in "all"
ALL_SIZES = (0.0, 1e10)  # pycocotools' bin "all", in square pixels
ALL, SMALL, MEDIUM, LARGE = range(4)  # pycocotools' order of the bins; the borders are 32² and 96² px
IOU_50, IOU_75 = 0, 5  # places among 0.50, 0.55 .. 0.95


@dataclass(frozen=True)
class ClassAP:
    """One class: AP over IoU 0.50 to 0.95, AP at 0.50 (None without objects), and how many objects count."""

    AP: float | None
    AP50: float | None
    objects: int


@dataclass(frozen=True)
class CocoMetrics:
    """COCO's twelve figures, fractions in 0..1; None where there is no object to measure.

    AP is the mean over IoU 0.50, 0.55 .. 0.95 and the classes that have objects; s, m and l are objects
    under 32², 32² to 96² and over 96² square pixels; AR1, AR10 and AR100 are the recall with so many
    detections a photo and class.
    """

    AP: float | None
    AP50: float | None
    AP75: float | None
    APs: float | None
    APm: float | None
    APl: float | None
    AR1: float | None
    AR10: float | None
    AR100: float | None
    ARs: float | None
    ARm: float | None
    ARl: float | None
    per_class: dict[str, ClassAP]


def coco_metrics(
    dataset: DetectionDataset, detections: Sequence[Detections], kind: Kind = "bbox"
) -> CocoMetrics:
    """COCO's figures for the detections of a data set's photos; `detections[i]` belongs to photo i.

    Raises ValueError where the number of photos or the class names differ, and for kind "segm" where
    detections have no masks.
    """
    run = coco_run(dataset, detections, kind)
    run.accumulate()
    assert run.eval is not None  # accumulate() has just filled it
    precision, recall = run.eval["precision"], run.eval["recall"]  # (T, R, K, A, M), (T, K, A, M)
    ap, ar = precision[..., -1], recall[..., -1]  # at 100 detections
    return CocoMetrics(
        AP=_mean(ap[..., ALL]),
        AP50=_mean(ap[IOU_50, ..., ALL]),
        AP75=_mean(ap[IOU_75, ..., ALL]),
        APs=_mean(ap[..., SMALL]),
        APm=_mean(ap[..., MEDIUM]),
        APl=_mean(ap[..., LARGE]),
        AR1=_mean(recall[..., ALL, 0]),
        AR10=_mean(recall[..., ALL, 1]),
        AR100=_mean(ar[..., ALL]),
        ARs=_mean(ar[..., SMALL]),
        ARm=_mean(ar[..., MEDIUM]),
        ARl=_mean(ar[..., LARGE]),
        per_class=_per_class(dataset, ap[..., ALL], kind),
    )


def coco_run(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    sizes: Sequence[tuple[float, float]] = (),
) -> COCOeval:
    """Detections matched to objects, photo by photo: pycocotools' `COCOeval` after `evaluate()`.

    Image ids are 1..P in the order of the data set's own ids, which decides between equal scores;
    category ids are label + 1. `sizes` replaces the four size bins.
    """
    rank = np.empty(len(dataset), dtype=np.int64)
    rank[np.argsort(dataset.image_ids, kind="stable")] = np.arange(1, len(dataset) + 1)
    truth = _ground_truth(dataset, rank, kind)
    found = flatten(dataset, detections)
    results = _results(found, rank) if kind == "bbox" else _mask_results(found, rank, detections)
    run = COCOeval(truth, truth.load_res(results), kind)
    if sizes:
        run.params.area_rng = [list(bounds) for bounds in sizes]
        run.params.area_rng_lbl = [f"{low:g}-{high:g}" for low, high in sizes]
    run.evaluate()
    return run


def _ground_truth(dataset: DetectionDataset, rank: NDArray[np.int64], kind: Kind) -> COCO:
    images = [
        {"id": int(i), "file_name": str(file), "height": int(h), "width": int(w)}
        for i, file, (h, w) in zip(rank, dataset.files, dataset.sizes, strict=True)
    ]
    return COCO.from_arrays(
        images,
        [{"id": i + 1, "name": name} for i, name in enumerate(dataset.class_names)],
        rank[photo_of_objects(dataset)],
        dataset.labels + 1,
        _xywh(dataset.boxes.astype(np.float64)),
        area=np.where(dataset.difficult, OUTSIDE_ALL_SIZES, dataset.areas.astype(np.float64)),
        iscrowd=dataset.crowd if kind == "bbox" else dataset.crowd | ~dataset.has_mask,
        segmentation=None if kind == "bbox" else _object_outlines(dataset),
    )


def _object_outlines(dataset: DetectionDataset) -> list[RunLengths | list[list[float]]]:
    return [runs for photo in range(len(dataset)) for runs in object_outlines(dataset, photo)]


def _results(found: FlatDetections, rank: NDArray[np.int64]) -> NDArray[np.float64]:
    """pycocotools' (M, 7) array of results: image id, x, y, w, h, score, category id."""
    return np.column_stack([rank[found.photos], _xywh(found.boxes), found.scores, found.labels + 1])


def _mask_results(
    found: FlatDetections, rank: NDArray[np.int64], detections: Sequence[Detections]
) -> list[dict[str, Any]]:
    """pycocotools' list of results; without boxes, so that a detection is as large as its mask."""
    outlines = (runs for one in detections for runs in compressed(found_masks(one.masks)))
    rows = zip(rank[found.photos].tolist(), (found.labels + 1).tolist(), found.scores.tolist(), strict=True)
    return [
        {"image_id": image, "category_id": category, "score": score, "segmentation": runs}
        for (image, category, score), runs in zip(rows, outlines, strict=True)
    ]


def _xywh(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def _per_class(dataset: DetectionDataset, ap: NDArray[np.float64], kind: Kind) -> dict[str, ClassAP]:
    """From the precisions in the bin "all": (T, R, K)."""
    objects = objects_by_class(dataset, kind)
    return {
        name: ClassAP(_mean(ap[:, :, k]), _mean(ap[IOU_50, :, k]), objects[k])
        for k, name in enumerate(dataset.class_names)
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    """The mean of what could be measured (pycocotools writes -1 elsewhere)."""
    measured = values[values > -1]
    return float(measured.mean()) if measured.size else None
