"""The "segmentation" of COCO annotations: polygons, or run lengths as a list or as text.

A polygon is x, y, x, y, ... in continuous pixels. An object may have several, whose pixels are united. Run
lengths cover the whole photo (see `boxmask.geometry.rle`). hotcoco decides which pixels lie in a polygon,
with the same result as pycocotools. The mask of an annotation without segmentation is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import MaskReader
from boxmask.data.formats.numbers import is_number, to_float
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError
from boxmask.geometry.rle import decompress
from boxmask.masks import Size

_UNKNOWN = np.zeros(0, dtype=np.int32)
_REMEDY = (
    "Correct these segmentations, or remove them: then their objects count by their boxes only. Run lengths "
    "must cover the photo as it is shown."
)

RunLengths = NDArray[np.int32]


def mask_reader(
    segmentations: Sequence[object], photo_of: NDArray[np.int64], location: Callable[[int], str]
) -> MaskReader | None:
    """A function that reads the masks once the sizes of the photos are known; None if there are no masks.

    segmentations: (N,) of the annotations
    photo_of:      (N,) the photo of each annotation
    location:      file and line of annotation n
    """
    if all(_is_empty(segmentation) for segmentation in segmentations):
        return None

    def read(sizes: NDArray[np.int32]) -> tuple[RleMasks, tuple[str, ...]]:
        size_per_object = [(height, width) for height, width in sizes[photo_of].tolist()]
        return _read_masks(segmentations, size_per_object, location)

    return read


def _is_empty(segmentation: object) -> bool:
    """None, an empty value, or a list of polygons without points, which some tools write for boxes."""
    return not segmentation or (isinstance(segmentation, list) and all(part == [] for part in segmentation))


def _read_masks(
    segmentations: Sequence[object], sizes: Sequence[Size], location: Callable[[int], str]
) -> tuple[RleMasks, tuple[str, ...]]:
    """Raises LabelError for all segmentations that cannot be read, and notes those without pixels."""
    per_object, errors, without_pixels = [], [], []
    for row, (segmentation, size) in enumerate(zip(segmentations, sizes, strict=True)):
        runs = _UNKNOWN
        try:
            runs = _UNKNOWN if _is_empty(segmentation) else _run_lengths(segmentation, size)
        except ValueError as error:
            errors.append(f"{location(row)}: {error}")
        if len(runs) and not runs[1::2].any():
            without_pixels.append(location(row))
            runs = _UNKNOWN
        per_object.append(runs)
    if errors:
        raise LabelError(format_errors("Masks that cannot be read", errors, _REMEDY))
    note = f"{len(without_pixels)} masks have no pixel and count as unknown"
    return RleMasks.from_run_lengths(per_object), format_note(note, without_pixels)


def _run_lengths(segmentation: object, size: Size) -> RunLengths:
    """Run lengths over a photo of (height, width). Raises ValueError with what is wrong."""
    if isinstance(segmentation, dict):
        return _check_run_lengths(segmentation, size)
    if isinstance(segmentation, list) and all(isinstance(part, list) for part in segmentation):
        return _fill_polygons(segmentation, size)
    found = f"found {str(segmentation)[:60]}"
    raise ValueError(f'expected a list of polygons, [[x, y, ...]], or "size" and "counts", {found}')


# ---------------------------------------------------------------- run lengths


def _check_run_lengths(fields: dict[str, object], size: Size) -> RunLengths:
    declared, counts = fields.get("size"), fields.get("counts")
    if not (isinstance(declared, list) and len(declared) == 2 and set(map(type, declared)) == {int}):
        raise ValueError(f'expected "size" as [height, width], found {declared!r}')
    if declared != list(size):
        shown = f"{declared[1]} × {declared[0]}"
        raise ValueError(f"its run lengths cover {shown} pixels, its photo is {size[1]} × {size[0]}")
    if isinstance(counts, str):
        counts = decompress(counts).tolist()
    if not (isinstance(counts, list) and set(map(type, counts)) <= {int}):
        raise ValueError(f'expected "counts" as whole numbers or text, found {str(counts)[:60]}')
    if min(counts, default=0) < 0:
        raise ValueError(f"a run length of {min(counts)}")
    if sum(counts) != size[0] * size[1]:
        raise ValueError(f"its run lengths add up to {sum(counts)}, its photo has {size[0] * size[1]} pixels")
    return np.array(counts, dtype=np.int32)


# ---------------------------------------------------------------- polygons


def _fill_polygons(polygons: list[list[object]], size: Size) -> RunLengths:
    """The run lengths of the pixels in any of the polygons."""
    checked = [_check_polygon(polygon, size).ravel().tolist() for polygon in polygons]
    united = hotcoco_mask.merge(hotcoco_mask.fr_py_objects(checked, *size))
    return decompress(united["counts"]).astype(np.int32)


def _check_polygon(polygon: list[object], size: Size) -> Float[np.ndarray, "M 2"]:
    """The points x, y of a polygon. Raises ValueError if it is malformed or lies far outside the photo."""
    numbers = [to_float(value) for value in polygon if is_number(value)]
    if len(numbers) < len(polygon):
        raise ValueError(f"expected a polygon of numbers, found {str(polygon)[:60]}")
    if len(polygon) % 2:
        raise ValueError(f"a polygon of {len(polygon)} numbers; each point needs x and y")
    if len(polygon) < 6:
        raise ValueError(f"a polygon of {len(polygon) // 2} points; it needs at least 3")
    points = np.array(numbers).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("a polygon with a coordinate that is not finite")
    # Following a line far beyond the photo could take all memory.
    reach = max(size)
    outside = (points < -reach) | (points > np.array(size[::-1]) + reach)
    if outside.any():
        x, y = points[outside.any(axis=1)][0]
        raise ValueError(f"a polygon with a point at {x:g}, {y:g} in a photo of {size[1]} × {size[0]} pixels")
    return points
