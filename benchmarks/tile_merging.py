"""How well objects are put together again from tiles: `python benchmarks/tile_merging.py DATA --tile 240`.

No network is run. The labeled boxes of each photo are cut at the tiles; pieces that show less than a fifth of
their object are dropped, and all edges get an error of 3 % of the box's side. What each method makes of these
boxes is evaluated against the labels. The methods are boxmask's own, and from supervision, NMS and non-max
merging by IoU and by the intersection over the smaller box (IoS), which sahi uses as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import supervision
from rich.console import Console
from rich.table import Table

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.photos.size import photo_size
from boxmask.prediction.tiles.merging import merge_objects
from boxmask.prediction.tiles.objects import TileObjects
from boxmask.prediction.tiles.windows import tile_windows
from boxmask.types import Detections

OVERLAP, MIN_SHARE, EDGE_ERROR, IOU = 0.25, 0.2, 0.03, 0.5

Method = Callable[[TileObjects, tuple[str, ...]], Detections]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a detection data set")
    parser.add_argument("--tile", type=int, default=240, help="side of the tiles in pixels")
    parser.add_argument("--photos", type=int, default=60, help="how many photos, spread over the data set")
    options = parser.parse_args()
    dataset = read_unsplit_detection(options.data, on_bad_boxes="skip")
    dataset = dataset.subset(np.arange(0, len(dataset), max(1, len(dataset) // options.photos)))
    objects = pieces(dataset, options.tile)
    count = int(dataset.counted.sum())
    table = Table("method", "AP", "AP50", "AP75", f"objects ({count:,} are labeled)")
    for name, method in METHODS.items():
        merged = [method(of_photo, dataset.class_names) for of_photo in objects]
        evaluation = evaluate_detections(dataset, merged, interval=False, on_unseen_classes="skip")
        metrics = (f"{evaluation[metric] or 0:.3f}" for metric in ("AP", "AP50", "AP75"))
        table.add_row(name, *metrics, f"{sum(map(len, merged)):,}")
    Console(width=100).print(table)


def pieces(dataset: DetectionDataset, tile: int) -> list[TileObjects]:
    """The labeled objects of each photo, cut at the tiles."""
    random = np.random.default_rng(0)
    photos = []
    for photo in range(len(dataset)):
        target, size = dataset.target(photo), photo_size(dataset.path(photo))
        windows = tile_windows(size, tile, OVERLAP)
        boxes, labels = target.boxes.numpy().astype(np.float64), target.labels.numpy()
        found = [cut(boxes, labels, window, dataset.class_names, random) for window in windows]
        photos.append(TileObjects.of(found, windows, size))
    return photos


def cut(
    boxes: np.ndarray,
    labels: np.ndarray,
    window: np.ndarray,
    class_names: tuple[str, ...],
    random: np.random.Generator,
) -> Detections:
    """What a good detector would find in one tile, in pixels of the tile. Small pieces get low scores."""
    low, high = np.tile(window[:2], 2), np.tile(window[2:], 2)
    inside = boxes.clip(low, high)
    shares = (inside[:, 2:] - inside[:, :2]).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    rows = np.flatnonzero(shares > MIN_SHARE)
    inside, scores = inside[rows], 0.5 + 0.5 * np.sqrt(shares[rows]) - 0.1 * random.random(len(rows))
    sides = np.tile(inside[:, 2:] - inside[:, :2], 2)
    inside = (inside + random.normal(0, EDGE_ERROR, inside.shape) * sides).clip(low, high) - low
    order = np.argsort(-scores)
    return Detections(
        inside[order].astype(np.float32),
        scores[order].clip(0, 1).astype(np.float32),
        labels[rows][order].astype(np.int64),
        class_names,
        (int(window[3] - window[1]), int(window[2] - window[0])),
    )


def nms(objects: TileObjects, class_names: tuple[str, ...]) -> Detections:
    keep = supervision.box_non_max_suppression(_rows(objects), IOU) if len(objects.boxes) else []
    return _join(objects, [[row] for row in np.flatnonzero(keep)], class_names)


def non_max_merge(metric: supervision.OverlapMetric) -> Method:
    def merge(objects: TileObjects, class_names: tuple[str, ...]) -> Detections:
        groups = supervision.box_non_max_merge(_rows(objects), IOU, metric) if len(objects.boxes) else []
        return _join(objects, groups, class_names)

    return merge


def _rows(objects: TileObjects) -> np.ndarray:
    return np.column_stack([objects.boxes, objects.scores, objects.labels])


def _join(objects: TileObjects, groups: list[list[int]], class_names: tuple[str, ...]) -> Detections:
    """The smallest box around each group, with its highest score."""
    corners = [(*objects.boxes[g, :2].min(axis=0), *objects.boxes[g, 2:].max(axis=0)) for g in groups]
    scores = np.array([objects.scores[g].max() for g in groups], dtype=np.float32)
    labels = np.array([objects.labels[g[0]] for g in groups], dtype=np.int64)
    order, (height, width) = np.argsort(-scores), objects.size
    boxes = np.array(corners, dtype=np.float32).reshape(-1, 4)[order]
    boxes = boxes.clip(0, np.array([width, height, width, height], dtype=np.float32))
    return Detections(boxes, scores[order], labels[order], class_names, objects.size)


METHODS: dict[str, Method] = {
    "boxmask": merge_objects,
    "NMS, IoU 0.5": nms,
    "merging, IoU 0.5": non_max_merge(supervision.OverlapMetric.IOU),
    "merging, IoS 0.5": non_max_merge(supervision.OverlapMetric.IOS),
}


if __name__ == "__main__":
    main()
