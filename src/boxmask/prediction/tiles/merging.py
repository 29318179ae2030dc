"""Merge the objects of overlapping tiles: each object is kept once, and its pieces are joined.

Two objects of different tiles are the same if their boxes agree in the area that both tiles see. There, the
whole object in one tile and its piece in another look alike, as do two pieces. Objects that lie side by side
or inside one another do not, however much they overlap. A piece that lies mostly inside an object of another
tile belongs to it, too: the edge of a piece is often placed badly.

Objects of one tile are never merged: the detector has told them apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.masks import Masks
from boxmask.prediction.tiles.objects import TileObjects
from boxmask.types import Detections

MIN_AGREEMENT = 0.5

Pairs = tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]


def merge_objects(objects: TileObjects, class_names: tuple[str, ...]) -> Detections:
    """The objects of a photo, each once, highest score first.

    Of an object that some tile shows whole, the whole box with the highest score is kept, with its mask. Of
    one that every tile cuts, the smallest box around its pieces, all of their pixels, and the highest score.
    """
    groups = group_objects(objects)
    is_cut = objects.is_cut
    boxes, best = np.zeros((len(groups), 4)), np.zeros(len(groups), dtype=np.int64)
    joined: dict[int, Int[np.ndarray, " n"]] = {}  # the pieces of the groups that have no whole box
    for number, rows in enumerate(groups):
        whole = rows[~is_cut[rows]]
        best[number] = (row := max(whole if len(whole) else rows, key=lambda row: objects.scores[row]))
        boxes[number] = objects.boxes[row]
        if not len(whole):
            boxes[number] = *objects.boxes[rows, :2].min(axis=0), *objects.boxes[rows, 2:].max(axis=0)
            joined[number] = rows
    order = np.argsort(-objects.scores[best], kind="stable")
    height, width = objects.size
    corners = np.array([width, height, width, height], dtype=np.float32)
    return Detections(
        boxes[order].astype(np.float32).clip(0, corners),
        objects.scores[best[order]],
        objects.labels[best[order]],
        class_names,
        objects.size,
        objects.masks and _join_masks(objects.masks, best, joined)[order],
    )


def group_objects(objects: TileObjects) -> list[Int[np.ndarray, " n"]]:
    """The rows of the objects that are the same, with at most one row per tile in each group.

    The pairs that agree best are joined first.
    """
    first, second = _touching_pairs(objects)
    agreements = _agreements(objects, (first, second))
    order = np.argsort(-agreements, kind="stable")
    order = order[agreements[order] >= MIN_AGREEMENT]
    return _join(zip(first[order].tolist(), second[order].tolist(), strict=True), objects.tiles.tolist())


def _touching_pairs(objects: TileObjects) -> Pairs:
    """Pairs of objects of one class and of different tiles whose boxes touch."""
    import shapely

    boxes = shapely.box(*objects.boxes.T)
    first, second = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    is_pair = (first < second) & (objects.tiles[first] != objects.tiles[second])
    is_pair &= objects.labels[first] == objects.labels[second]
    return first[is_pair], second[is_pair]


def _agreements(objects: TileObjects, pairs: Pairs) -> Float[np.ndarray, " P"]:
    """How well the objects of each pair agree, 0..1.

    The IoU of their boxes inside the area that both tiles see; for pieces, at least the share of the piece
    that lies inside the other object.
    """
    first, second = (objects.boxes[rows] for rows in pairs)
    seen = _intersection(*(objects.windows[rows] for rows in pairs))
    first_seen, second_seen = _intersection(first, seen), _intersection(second, seen)
    both = _area(_intersection(first_seen, second_seen))
    agreements = _ratio(both, _area(first_seen) + _area(second_seen) - both)
    overlaps = _area(_intersection(first, second))
    for boxes, rows in zip((first, second), pairs, strict=True):
        is_piece: Bool[np.ndarray, " P"] = objects.is_cut[rows]
        agreements = np.maximum(agreements, _ratio(overlaps, _area(boxes)) * is_piece)
    return agreements


def _join(pairs: Iterable[tuple[int, int]], tiles: list[int]) -> list[Int[np.ndarray, " n"]]:
    """Join rows in the order of the pairs, unless two rows of one tile would end in one group."""
    groups = {row: ([row], {tile}) for row, tile in enumerate(tiles)}
    for first, second in pairs:
        (rows, seen), (other_rows, other_seen) = groups[first], groups[second]
        if rows is other_rows or not seen.isdisjoint(other_seen):
            continue
        joined = (rows + other_rows, seen | other_seen)
        groups.update(dict.fromkeys(joined[0], joined))
    unique = {id(rows): rows for rows, _ in groups.values()}
    return [np.array(rows) for rows in unique.values()]


# ---------------------------------------------------------------- masks


def _join_masks(masks: Masks, best: Int[np.ndarray, " G"], joined: dict[int, Int[np.ndarray, " n"]]) -> Masks:
    """The mask of each group: that of its best row, or all pixels of its pieces."""
    all_crops, corners = masks.crops(), masks.windows[:, :2].tolist()
    crops = [all_crops[row] for row in best]
    places = [tuple(corners[row]) for row in best]
    for number, rows in joined.items():
        rows = rows[masks.known[rows]]
        if not len(rows):
            continue
        windows = masks.windows[rows]
        (left, top), (right, bottom) = windows[:, :2].min(axis=0), windows[:, 2:].max(axis=0)
        pixels = np.zeros((bottom - top, right - left), dtype=np.bool_)
        for row, (x1, y1, x2, y2) in zip(rows, windows, strict=True):
            pixels[y1 - top : y2 - top, x1 - left : x2 - left] |= all_crops[row]
        crops[number], places[number] = pixels, (int(left), int(top))
    return Masks.from_crops(crops, places, masks.size)


# ---------------------------------------------------------------- geometry


def _intersection(
    boxes: Float[np.ndarray, "P 4"], others: Float[np.ndarray, "P 4"]
) -> Float[np.ndarray, "P 4"]:
    """The box that two boxes share, row by row; its sides are negative if they share none."""
    return np.concatenate(
        [np.maximum(boxes[:, :2], others[:, :2]), np.minimum(boxes[:, 2:], others[:, 2:])], axis=1
    )


def _area(boxes: Float[np.ndarray, "P 4"]) -> Float[np.ndarray, " P"]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(0, None).prod(axis=1))


def _ratio(part: Float[np.ndarray, " P"], whole: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
    """part / whole; 0 where `whole` is 0."""
    return np.asarray(np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0))
