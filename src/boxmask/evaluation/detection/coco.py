"""Average precision and recall as defined by COCO, computed by hotcoco and equal to pycocotools.

Lin et al. 2014; cocodataset.org, "Detection Evaluation".

A crowd region (`iscrowd`) takes any number of detections inside it, which count neither for nor against.
COCO has no `difficult`, and pycocotools overwrites the `ignore` of an annotation with `iscrowd`. But it also
ignores, in each size bin, the objects whose area is outside the bin; they are matched by IoU, one detection
each. So a difficult object gets an area outside every bin and counts neither for nor against. (A second
detection of it counts against, unlike in `voc`.)

Masks are evaluated in the same way by the IoU of their pixels (kind "segm"). An object whose mask is unknown
is left out (see `object_masks`), and a detection with an empty mask is wrong. The size of a detection is then
that of its mask, as in pycocotools for results without boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hotcoco import COCO, COCOeval
from jaxtyping import Float, Int

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.arrays import (
    FlatDetections,
    Kind,
    flatten,
    objects_per_class,
    photo_of_objects,
)
from boxmask.evaluation.detection.coco_masks import CocoRle, object_rles, require_masks, to_coco_rle
from boxmask.evaluation.detection.grouping import to_xywh
from boxmask.types import Detections

OUTSIDE_ALL_SIZES = -1.0  # an area in no size bin: ignored in all of them, even in "all"
ALL_SIZES = (0.0, 1e10)  # pycocotools' bin "all", in square pixels
ALL, SMALL, MEDIUM, LARGE = range(4)  # pycocotools' order of the bins; the limits are 32² and 96² px
IOU_50, IOU_75 = 0, 5  # indices into 0.50, 0.55 .. 0.95


@dataclass(frozen=True)
class ClassAP:
    """AP over IoU 0.50 to 0.95 and at 0.50 for one class (None without objects), and its counted objects."""

    AP: float | None
    AP50: float | None
    objects: int


@dataclass(frozen=True)
class CocoMetrics:
    """COCO's twelve metrics, fractions in 0..1. None without objects to measure.

    AP is the mean over IoU 0.50, 0.55 .. 0.95 and over the classes with objects. s, m and l are objects under
    32², 32² to 96² and over 96² square pixels. AR1, AR10 and AR100 are the recall with at most that many
    detections per photo and class.
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
    """COCO's metrics of detections. `detections[i]` belongs to photo i of `dataset`.

    Raises ValueError if the number of photos or the class names differ, and for kind "segm" if detections
    have no masks.
    """
    coco_eval = run_coco_eval(dataset, detections, kind)
    coco_eval.accumulate()
    assert coco_eval.eval is not None  # filled by accumulate()
    precision, recall = coco_eval.eval["precision"], coco_eval.eval["recall"]  # (T, R, K, A, M), (T, K, A, M)
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


def run_coco_eval(
    dataset: DetectionDataset,
    detections: Sequence[Detections],
    kind: Kind = "bbox",
    *,
    sizes: Sequence[tuple[float, float]] = (),
) -> COCOeval:
    """Match detections to objects, photo by photo: pycocotools' `COCOeval` after `evaluate()`.

    Image ids are 1..P in the order of the data set's own ids, which breaks ties between equal scores.
    Category ids are label + 1. `sizes` replaces the four size bins.
    """
    image_ids = np.empty(len(dataset), dtype=np.int64)
    image_ids[np.argsort(dataset.image_ids, kind="stable")] = np.arange(1, len(dataset) + 1)
    truth = _ground_truth(dataset, image_ids, kind)
    flat = flatten(dataset, detections)
    results = _box_results(flat, image_ids) if kind == "bbox" else _mask_results(flat, image_ids, detections)
    run = COCOeval(truth, truth.load_res(results), kind)
    if sizes:
        run.params.area_rng = [list(bounds) for bounds in sizes]
        run.params.area_rng_lbl = [f"{low:g}-{high:g}" for low, high in sizes]
    run.evaluate()
    return run


def _ground_truth(dataset: DetectionDataset, image_ids: Int[np.ndarray, " P"], kind: Kind) -> COCO:
    images = [
        {"id": int(i), "file_name": str(file), "height": int(h), "width": int(w)}
        for i, file, (h, w) in zip(image_ids, dataset.files, dataset.sizes, strict=True)
    ]
    return COCO.from_arrays(
        images,
        [{"id": i + 1, "name": name} for i, name in enumerate(dataset.class_names)],
        image_ids[photo_of_objects(dataset)],
        dataset.labels + 1,
        to_xywh(dataset.boxes),
        area=np.where(dataset.difficult, OUTSIDE_ALL_SIZES, dataset.areas.astype(np.float64)),
        iscrowd=dataset.crowd if kind == "bbox" else dataset.crowd | ~dataset.has_mask,
        segmentation=None if kind == "bbox" else _object_rles(dataset),
    )


def _object_rles(dataset: DetectionDataset) -> list[CocoRle | list[list[float]]]:
    return [rle for photo in range(len(dataset)) for rle in object_rles(dataset, photo)]


def _box_results(flat: FlatDetections, image_ids: Int[np.ndarray, " P"]) -> Float[np.ndarray, "M 7"]:
    """pycocotools' array of results: image id, x, y, w, h, score, category id."""
    return np.column_stack([image_ids[flat.photos], to_xywh(flat.boxes), flat.scores, flat.labels + 1])


def _mask_results(
    flat: FlatDetections, image_ids: Int[np.ndarray, " P"], detections: Sequence[Detections]
) -> list[dict[str, Any]]:
    """pycocotools' list of results, without boxes, so that the size of a detection is that of its mask."""
    rles = (rle for in_photo in detections for rle in to_coco_rle(require_masks(in_photo.masks)))
    ids, categories = image_ids[flat.photos].tolist(), (flat.labels + 1).tolist()
    return [
        {"image_id": image_id, "category_id": category, "score": score, "segmentation": rle}
        for image_id, category, score, rle in zip(ids, categories, flat.scores.tolist(), rles, strict=True)
    ]


def _per_class(dataset: DetectionDataset, ap: Float[np.ndarray, "T R K"], kind: Kind) -> dict[str, ClassAP]:
    """From the precisions in the bin "all"."""
    objects = objects_per_class(dataset, kind)
    return {
        name: ClassAP(_mean(ap[:, :, k]), _mean(ap[IOU_50, :, k]), objects[k])
        for k, name in enumerate(dataset.class_names)
    }


def _mean(values: Float[np.ndarray, "*shape"]) -> float | None:
    """The mean of the values that could be measured; pycocotools writes -1 for the others."""
    measured = values[values > -1]
    return float(measured.mean()) if measured.size else None
