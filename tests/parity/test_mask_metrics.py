"""COCO's metrics for masks equal pycocotools, for polygons and for run lengths."""

import contextlib
import io
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.boundary_ap import boundary_metrics
from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.geometry.rle import decode
from boxmask.masks import Masks
from boxmask.types import Detections

CLASSES = ("ant", "bee", "never labeled")
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
SIDE = 240
SEEDS = range(4)


def star(rng: np.random.Generator) -> list[float]:
    """A non-convex polygon with fractional coordinates, clipped to the photo."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
    radii = rng.uniform(0.5, 1.0, 12) * rng.uniform(8, 80)
    middle = rng.uniform(20, SIDE - 20, 2)
    points = middle + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return points.clip(0, SIDE).ravel().tolist()


def counts_of(segmentation) -> np.ndarray:
    """The pixels that pycocotools gives a polygon, as run lengths."""
    (runs,) = coco_mask.frPyObjects(segmentation, SIDE, SIDE)
    flat = coco_mask.decode(runs).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat, prepend=0))
    return np.diff(changes, prepend=0, append=flat.size).astype(np.int32)


def scene(seed: int) -> tuple[DetectionDataset, list[list[float]], list[Detections]]:
    """Twenty photos with crowds and equal scores, some empty, some crowded; and each object's polygon."""
    rng = np.random.default_rng(seed)
    photos = 20
    counts = rng.integers(0, 8, photos) * (rng.random(photos) > 0.2)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    total = int(offsets[-1])
    polygons = [star(rng) for _ in range(total)]
    runs = [counts_of([polygon]) for polygon in polygons]
    points = np.array(polygons, dtype=np.float32).reshape(total, -1, 2)
    dataset = DetectionDataset(
        root=Path("things"),
        class_names=CLASSES,
        files=np.array([f"{i}.jpg" for i in range(photos)]),
        image_ids=rng.choice(500, photos, replace=False),
        sizes=np.full((photos, 2), SIDE, dtype=np.int32),
        splits=np.full(photos, "test"),
        offsets=offsets,
        boxes=np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1),
        labels=rng.integers(0, 2, total),
        areas=np.array([one[1::2].sum() for one in runs], dtype=np.float32),
        crowd=rng.random(total) < 0.1,
        difficult=np.zeros(total, dtype=bool),
        runs=np.concatenate(runs),
        run_offsets=np.cumsum([0, *map(len, runs)]),
    )
    return dataset, polygons, [detections_in(rng, dataset, photo) for photo in range(photos)]


def detections_in(rng: np.random.Generator, dataset: DetectionDataset, photo: int) -> Detections:
    """Shifted copies of most objects, some twice, and random masks, some empty: 130 in every fifth photo."""
    rows = dataset.rows(photo)
    copies = np.repeat(np.arange(rows.stop - rows.start), rng.integers(0, 3, rows.stop - rows.start))
    objects = dataset.masks(photo) or Masks.unknown(0, (SIDE, SIDE))
    crops = objects[copies].crops()
    corners = [(x + int(dx), y + int(dy)) for (x, y, *_), dx, dy in zip(
        objects[copies].windows.tolist(), rng.normal(0, 2.5, len(copies)), rng.normal(0, 2.5, len(copies)),
        strict=True,
    )]  # fmt: skip
    for _ in range(130 if photo % 5 == 0 else int(rng.integers(0, 4))):
        crops.append(rng.random(rng.integers(5, 60, 2)) < rng.choice([0.0, 0.4, 1.0]))
        corners.append(tuple(rng.integers(0, SIDE - 10, 2).tolist()))
    labels = np.concatenate([
        dataset.labels[rows][copies], rng.integers(0, 3, len(crops) - len(copies))
    ]).astype(np.int64)  # fmt: skip
    if photo % 5 == 0:
        labels[len(copies) :] = 1
    scores = np.round(rng.random(len(crops)), 1).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    masks = Masks.from_crops(crops, corners, (SIDE, SIDE))[order]
    boxes = torch.from_numpy(masks.boxes())
    return Detections(
        boxes, torch.tensor(scores[order]), torch.tensor(labels[order]), CLASSES, (SIDE, SIDE), masks
    )


class HonorsDifficult(COCOeval):
    """pycocotools with `_prepare` corrected to honor the `difficult` flag of an annotation."""

    def _prepare(self):
        super()._prepare()
        for entries in self._gts.values():
            for entry in entries:
                entry["ignore"] = entry["ignore"] or entry["difficult"]


def in_pycocotools(
    dataset: DetectionDataset,
    segmentations: list,
    detections: list[Detections],
    evaluator: type[COCOeval] = HonorsDifficult,
) -> COCOeval:
    photo_of = np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))
    truth = COCO()
    truth.dataset = {
        "images": [{"id": int(i), "height": SIDE, "width": SIDE} for i in dataset.image_ids],
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)],
        "annotations": [
            {
                "id": i + 1,
                "image_id": int(dataset.image_ids[photo_of[i]]),
                "category_id": int(dataset.labels[i]) + 1,
                "segmentation": segmentation,
                "area": float(dataset.areas[i]),
                "iscrowd": int(dataset.crowd[i]),
                "difficult": bool(dataset.difficult[i]),
            }
            for i, segmentation in enumerate(segmentations)
        ],
    }
    results = [
        {"image_id": image, "category_id": label + 1, "score": score, "segmentation": runs_of(mask)}
        for image, found in zip(dataset.image_ids.tolist(), detections, strict=True)
        for mask, score, label in zip(
            found.masks.dense(), found.scores.tolist(), found.labels.tolist(), strict=True
        )
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = evaluator(truth, truth.loadRes(results), "segm")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def runs_of(mask: np.ndarray) -> dict[str, object]:
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


def check_equal(dataset: DetectionDataset, detections: list[Detections], theirs: COCOeval) -> None:
    ours = coco_metrics(dataset, detections, "segm")
    values = asdict(ours)
    for name, value in zip(METRICS, theirs.stats, strict=True):
        assert values[name] == (None if value == -1 else pytest.approx(value, abs=1e-6)), name
    precision = theirs.eval["precision"][..., 0, -1]
    for k, name in enumerate(CLASSES[:2]):
        assert ours.per_class[name].AP == pytest.approx(precision[:, :, k].mean(), abs=1e-6)
    assert ours.per_class["never labeled"].AP is None


@pytest.mark.parametrize("seed", SEEDS)
def test_polygons_equal_pycocotools(seed):
    dataset, polygons, detections = scene(seed)
    check_equal(dataset, detections, in_pycocotools(dataset, [[p] for p in polygons], detections))
    boxes, masks = coco_metrics(dataset, detections), coco_metrics(dataset, detections, "segm")
    assert boxes.AP != pytest.approx(masks.AP, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_difficult_objects_and_run_lengths_equal_pycocotools_that_ignores_them(seed):
    dataset, _, detections = scene(seed)
    plain = coco_metrics(dataset, detections, "segm").AP
    dataset.difficult[:] = (np.random.default_rng(seed).random(len(dataset.labels)) < 0.2) & ~dataset.crowd
    spans = zip(dataset.run_offsets, dataset.run_offsets[1:], strict=False)
    runs = [{"size": [SIDE, SIDE], "counts": dataset.runs[a:b].tolist()} for a, b in spans]
    check_equal(dataset, detections, in_pycocotools(dataset, runs, detections))
    assert coco_metrics(dataset, detections, "segm").AP != pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_object_without_mask_is_a_crowd_as_large_as_its_box(seed):
    dataset, _, detections = scene(seed)
    no_mask = np.random.default_rng(seed).random(len(dataset.labels)) < 0.3
    lengths = np.diff(dataset.run_offsets)
    partly = replace(
        dataset,
        runs=dataset.runs[np.repeat(~no_mask, lengths)],
        run_offsets=np.concatenate([[0], np.cumsum(np.where(no_mask, 0, lengths))]),
    )
    segmentations = []
    for i, box in enumerate(dataset.boxes):
        if no_mask[i]:
            (x1, y1), (x2, y2) = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
            mask = np.zeros((SIDE, SIDE), bool)
            mask[y1:y2, x1:x2] = True
        else:
            run = dataset.runs[dataset.run_offsets[i] : dataset.run_offsets[i + 1]]
            mask = decode([run], (SIDE, SIDE)).dense()[0]
        segmentations.append(runs_of(mask))
    crowds = replace(dataset, crowd=dataset.crowd | no_mask)
    check_equal(partly, detections, in_pycocotools(crowds, segmentations, detections))


class BoundaryEval(HonorsDifficult):
    """pycocotools with the IoU of boundary-iou-api: the smaller of mask and boundary IoU, crowds aside."""

    def computeIoU(self, image, category):
        plain = super().computeIoU(image, category)
        if not len(plain):
            return plain
        detections = sorted(self._dts[image, category], key=lambda entry: -entry["score"])
        detections = detections[: self.params.maxDets[-1]]
        objects = self._gts[image, category]
        boundaries = [
            [boundary_of(entry["segmentation"]) for entry in entries] for entries in (detections, objects)
        ]
        crowd = np.array([bool(entry["iscrowd"]) for entry in objects])
        boundary_iou = coco_mask.iou(*boundaries, crowd.astype(int).tolist())
        return np.where(crowd, plain, np.minimum(plain, boundary_iou))


def boundary_of(runs: dict) -> dict:
    """The boundary of a mask, by eroding it step by step."""
    mask = coco_mask.decode(runs).astype(bool)
    core = mask
    for _ in range(round(0.02 * float(np.hypot(SIDE, SIDE)))):
        padded = np.pad(core, 1)
        core = np.min([padded[y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3)], axis=0)
    return runs_of(mask & ~core)


@pytest.mark.parametrize("seed", SEEDS)
def test_boundary_ap_equals_pycocotools_with_boundary_iou(seed):
    dataset, polygons, detections = scene(seed)
    dataset.difficult[:] = (np.random.default_rng(seed).random(len(dataset.labels)) < 0.1) & ~dataset.crowd
    theirs = in_pycocotools(dataset, [[polygon] for polygon in polygons], detections, BoundaryEval)
    ours = boundary_metrics(dataset, detections)
    assert pytest.approx(theirs.stats[:2], abs=1e-9) == [ours.AP, ours.AP50]
    precision = theirs.eval["precision"][..., 0, -1]
    for k, name in enumerate(CLASSES[:2]):
        assert ours.per_class[name].AP == pytest.approx(precision[:, :, k].mean(), abs=1e-9)
    assert ours.per_class["never labeled"].AP is None
    assert ours.AP < coco_metrics(dataset, detections, "segm").AP - 0.02
