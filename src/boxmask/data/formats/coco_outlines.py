"""The "segmentation" of COCO's annotations: polygons, or run lengths as a list or as text.

A polygon is x, y, x, y ... in continuous pixels, and an object may have several, whose pixels are joined; run
lengths go over the whole photo (see `boxmask.geometry.rle`). Which pixels lie in a polygon is decided by
hotcoco, as pycocotools decides it. An annotation without a segmentation, or with an empty one, is of an
object whose outline is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hotcoco import mask as rle
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import ReadOutlines
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError
from boxmask.geometry.rle import decompress
from boxmask.masks import Size

_NUMBERS = {int, float}  # what JSON's numbers become; not bool
_UNKNOWN = np.zeros(0, dtype=np.int32)
_REMEDY = (
    "Correct these segmentations, or remove them: an object without one counts by its box alone. Run lengths "
    "must be those of the photo as it is shown."
)

Counts = NDArray[np.int32]


def outline_reader(
    segmentations: Sequence[object], photo: NDArray[np.int64], place: Callable[[int], str]
) -> ReadOutlines | None:
    """Reads the outlines once the photos' sizes are known; None where no annotation has one.

    segmentations: (N,) of the annotations
    photo:         (N,) which photo each is of
    place:         says file and line of annotation n
    """
    if all(_is_empty(one) for one in segmentations):
        return None

    def read(sizes: NDArray[np.int32]) -> tuple[RleMasks, tuple[str, ...]]:
        per_object = [(height, width) for height, width in sizes[photo].tolist()]
        return _read(segmentations, per_object, place)

    return read


def _is_empty(segmentation: object) -> bool:
    """None, nothing, or a list of polygons without points, as some tools write for boxes."""
    return not segmentation or (isinstance(segmentation, list) and all(part == [] for part in segmentation))


def _read(
    segmentations: Sequence[object], sizes: Sequence[Size], place: Callable[[int], str]
) -> tuple[RleMasks, tuple[str, ...]]:
    """Raises LabelError for all segmentations at once that cannot be read; notes those without a pixel."""
    counts, faults, bare = [], [], []
    for row, (segmentation, size) in enumerate(zip(segmentations, sizes, strict=True)):
        runs = _UNKNOWN
        try:
            runs = _UNKNOWN if _is_empty(segmentation) else _counts(segmentation, size)
        except ValueError as fault:
            faults.append(f"{place(row)}: {fault}")
        if len(runs) and not runs[1::2].any():
            bare.append(place(row))
            runs = _UNKNOWN
        counts.append(runs)
    if faults:
        raise LabelError(format_errors("RleMasks that cannot be read", faults, _REMEDY))
    return RleMasks.of(counts), format_note(
        f"{len(bare)} outlines cover no pixel and count as not known", bare
    )


def _counts(segmentation: object, size: Size) -> Counts:
    """Run lengths over a photo of (height, width). Raises ValueError that says what is wrong."""
    if isinstance(segmentation, dict):
        return _of_run_lengths(segmentation, size)
    if isinstance(segmentation, list) and all(isinstance(part, list) for part in segmentation):
        return _of_polygons(segmentation, size)
    found = f"found {str(segmentation)[:60]}"
    raise ValueError(f'expected a list of polygons, [[x, y, ...]], or "size" and "counts", {found}')


# ---------------------------------------------------------------- run lengths


def _of_run_lengths(fields: dict[str, object], size: Size) -> Counts:
    declared, counts = fields.get("size"), fields.get("counts")
    if not (isinstance(declared, list) and len(declared) == 2 and set(map(type, declared)) == {int}):
        raise ValueError(f'expected the "size" of its run lengths as [height, width], found {declared!r}')
    if declared != list(size):
        shown = f"{declared[1]} × {declared[0]}"
        raise ValueError(f"its run lengths are of {shown} pixels, its photo is {size[1]} × {size[0]}")
    if isinstance(counts, str):
        counts = decompress(counts).tolist()
    if not (isinstance(counts, list) and set(map(type, counts)) <= {int}):
        raise ValueError(f'expected its "counts" as whole numbers or text, found {str(counts)[:60]}')
    if min(counts, default=0) < 0:
        raise ValueError(f"a run length of {min(counts)}")
    if sum(counts) != size[0] * size[1]:
        raise ValueError(f"its run lengths add up to {sum(counts)}, its photo has {size[0] * size[1]} pixels")
    return np.array(counts, dtype=np.int32)


# ---------------------------------------------------------------- polygons


def _of_polygons(polygons: list[list[object]], size: Size) -> Counts:
    checked = [_points(polygon, size).ravel().tolist() for polygon in polygons]
    joined = rle.merge(rle.fr_py_objects(checked, *size))
    return decompress(joined["counts"]).astype(np.int32)


def _points(polygon: list[object], size: Size) -> NDArray[np.float64]:
    """(M, 2) x, y. Raises ValueError for what is no polygon, or one that can hardly be of this photo."""
    if not set(map(type, polygon)) <= _NUMBERS:
        raise ValueError(f"a polygon should be numbers, found {str(polygon)[:60]}")
    if len(polygon) % 2:
        raise ValueError(f"a polygon of {len(polygon)} numbers, where each point has x and y")
    if len(polygon) < 6:
        raise ValueError(f"a polygon of {len(polygon) // 2} points, where three are the fewest")
    points = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("a polygon with a coordinate that is not finite")
    # Beyond its photo's edge by more than the photo is long: to follow such a line could take all memory.
    reach = max(size)
    outside = (points < -reach) | (points > np.array(size[::-1]) + reach)
    if outside.any():
        x, y = points[outside.any(axis=1)][0]
        raise ValueError(f"a polygon with a point at {x:g}, {y:g} in a photo of {size[1]} × {size[0]} pixels")
    return points
