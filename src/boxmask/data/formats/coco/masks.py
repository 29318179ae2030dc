"""The "segmentation" of COCO annotations: polygons, or run lengths as a list or as text.

A polygon is x, y, x, y, ... in continuous pixels. An object may have several, whose pixels are united. Run
lengths cover the whole photo (see `boxmask.geometry.rle`). hotcoco decides which pixels lie in a polygon,
with the same result as pycocotools. The mask of an annotation without segmentation is unknown. Parts with
fewer than 3 points beside others are left out, as in Detectron2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hotcoco import mask as hotcoco_mask
from jaxtyping import Float
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.findings import Location
from boxmask.data.formats.labels import MaskReader, MaskReading
from boxmask.geometry import rle
from boxmask.json_numbers import to_float
from boxmask.masks import Size
from boxmask.messages import format_count, format_note

_JSON_NUMBERS = {int, float}  # bool is not among them
_UNKNOWN = np.zeros(0, dtype=np.int32)

RunLengths = NDArray[np.int32]


class _WrongSizeError(ValueError):
    """Run lengths that cover another size than the photo has."""


def mask_reader(
    segmentations: Sequence[object], photo_of: NDArray[np.int64], location: Callable[[int], Location]
) -> MaskReader | None:
    """A function that reads the masks once the sizes of the photos are known; None if there are no masks.

    segmentations: (N,) of the annotations
    photo_of:      (N,) the photo of each annotation
    location:      file and line of annotation n
    """
    if all(_is_empty(segmentation) for segmentation in segmentations):
        return None

    def read(sizes: NDArray[np.int32], label_sizes: NDArray[np.int32]) -> MaskReading:
        per_object = np.stack([sizes[photo_of], label_sizes[photo_of]], axis=1).tolist()
        return _read_masks(segmentations, per_object, location)

    return read


def _is_empty(segmentation: object) -> bool:
    """None, an empty value, or a list of polygons without points, which some tools write for boxes."""
    return not segmentation or (
        isinstance(segmentation, list) and all(part is None or part == [] for part in segmentation)
    )


def _read_masks(
    segmentations: Sequence[object],
    sizes: Sequence[tuple[Sequence[int], Sequence[int]]],
    location: Callable[[int], Location],
) -> MaskReading:
    """sizes: of each object's photo, and the size that its labels are written for."""
    per_object, malformed, wrong_size = [_UNKNOWN] * len(segmentations), dict[int, str](), dict[int, str]()
    with_small_parts, without_pixels = [], []
    rows = [row for row, segmentation in enumerate(segmentations) if not _is_empty(segmentation)]
    for row in rows:
        (height, width), (label_height, label_width) = sizes[row]
        segmentation = _without_small_parts(segmentations[row])
        if segmentation is not segmentations[row]:
            with_small_parts.append(str(location(row)))
        try:
            runs = _run_lengths(segmentation, (height, width), (label_height, label_width))
        except _WrongSizeError as error:
            wrong_size[row] = str(error)
        except ValueError as error:
            malformed[row] = str(error)
        else:
            if runs[1::2].any():
                per_object[row] = runs
            else:
                without_pixels.append(str(location(row)))
    notes = (
        *format_note("left out: parts of outlines with fewer than 3 points", with_small_parts),
        *format_note(f"{len(without_pixels)} masks have no pixel and count as unknown", without_pixels),
    )
    return MaskReading(RleMasks.from_run_lengths(per_object), len(rows), malformed, wrong_size, notes)


def _without_small_parts(segmentation: object) -> object:
    """A list of polygons without those that are empty or have fewer than 3 points, if others remain."""
    if not isinstance(segmentation, list):
        return segmentation
    kept = [
        part for part in segmentation if part is not None and not (isinstance(part, list) and len(part) < 6)
    ]
    return kept if kept and len(kept) < len(segmentation) else segmentation


def _run_lengths(segmentation: object, size: Size, label_size: Size) -> RunLengths:
    """Run lengths over a photo of (height, width). Raises ValueError with what is wrong."""
    if isinstance(segmentation, dict):
        counts = _check_run_lengths(segmentation, label_size)
        return counts if size == label_size else _resize(counts, label_size, size)
    if isinstance(segmentation, list) and all(isinstance(part, list) for part in segmentation):
        return _fill_polygons(segmentation, size, label_size)
    found = f"found {str(segmentation)[:60]}"
    raise ValueError(f'expected a list of polygons, [[x, y, ...]], or "size" and "counts", {found}')


# ---------------------------------------------------------------- run lengths


def _check_run_lengths(fields: dict[str, object], size: Size) -> RunLengths:
    declared, counts = fields.get("size"), fields.get("counts")
    if not (isinstance(declared, list) and len(declared) == 2 and set(map(type, declared)) == {int}):
        raise ValueError(f'expected "size" as [height, width], found {str(declared)[:60]}')
    if declared != list(size):
        covered = f"{declared[1]} × {declared[0]}"
        raise _WrongSizeError(
            f"its run lengths cover {covered:.60} pixels, its photo is {size[1]} × {size[0]}"
        )
    if isinstance(counts, str):
        counts = rle.decompress(counts).tolist()
    if not (isinstance(counts, list) and set(map(type, counts)) <= {int}):
        raise ValueError(f'expected "counts" as whole numbers or text, found {str(counts)[:60]}')
    if min(counts, default=0) < 0:
        raise ValueError(f"expected run lengths of 0 or more, found a run length of {str(min(counts))[:60]}")
    if sum(counts) != size[0] * size[1]:
        raise ValueError(
            f"its run lengths add up to {str(sum(counts))[:60]}, its photo has {size[0] * size[1]} pixels"
        )
    return np.array(counts, dtype=np.int32)


def _resize(counts: RunLengths, old: Size, new: Size) -> RunLengths:
    """The run lengths of a mask that is resized with its photo."""
    return rle.encode(rle.decode([counts.astype(np.int64)], old).resize(new))[0].astype(np.int32)


# ---------------------------------------------------------------- polygons


def _fill_polygons(polygons: list[list[object]], size: Size, label_size: Size) -> RunLengths:
    """The run lengths of the pixels in any of the polygons, which are drawn on a photo of `label_size`."""
    factors = np.array([size[1] / label_size[1], size[0] / label_size[0]])
    points = [(_check_polygon(polygon, label_size) * factors).ravel().tolist() for polygon in polygons]
    united = hotcoco_mask.merge(hotcoco_mask.fr_py_objects(points, *size))
    return rle.decompress(united["counts"]).astype(np.int32)


def _check_polygon(polygon: list[object], size: Size) -> Float[np.ndarray, "M 2"]:
    """The points x, y of a polygon. Raises ValueError if it is malformed or lies far outside the photo."""
    if not set(map(type, polygon)) <= _JSON_NUMBERS:
        raise ValueError(f"expected a polygon of numbers, found {str(polygon)[:60]}")
    if len(polygon) < 6:
        count = format_count(len(polygon) // 2, "point")
        raise ValueError(f"a polygon of {count}; it needs at least 3, [x, y, x, y, x, y]")
    if len(polygon) % 2:
        raise ValueError(f"a polygon of {len(polygon)} numbers; each point needs x and y")
    points = np.array(list(map(to_float, polygon))).reshape(-1, 2)  # type: ignore[arg-type]
    if not np.isfinite(points).all():
        raise ValueError("a polygon with a coordinate that is not finite")
    # Following a line far beyond the photo could take all memory.
    reach = max(size)
    outside = (points < -reach) | (points > np.array(size[::-1]) + reach)
    if outside.any():
        x, y = points[outside.any(axis=1)][0]
        raise ValueError(f"a polygon with a point at {x:g}, {y:g} in a photo of {size[1]} × {size[0]} pixels")
    return points
