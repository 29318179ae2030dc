"""The "segmentation" of COCO annotations: polygons, or run lengths as a list or as text.

A polygon is x, y, x, y, ... in continuous pixels. An object may have several, whose pixels are united. Run
lengths cover the whole photo (see `boxmask.geometry.rle`). Parts with fewer than 3 points beside others are
left out, as in Detectron2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from jaxtyping import Float

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.coco.entries import decode_raw
from boxmask.data.outlines import FewPointsError, Outline, Polygons, RunLengths
from boxmask.geometry import rle
from boxmask.json_numbers import to_float
from boxmask.messages import format_count

OUTLINE_PART_LEFT_OUT = Kind(
    "outline-part-left-out",
    "note",
    "Parts of outlines with fewer than 3 points, which are left out",
    "Remove these parts, or complete them if they belong to the object.",
)
_JSON_NUMBERS = {int, float}  # bool is not among them
_MAX_PIXELS = 2**31
_POLYGONS = msgspec.json.Decoder(list[list[float]])


def is_empty(segmentation: object) -> bool:
    """Whether there is no outline: None, an empty value, or polygons without points, as some tools write."""
    if isinstance(segmentation, msgspec.Raw):
        if len(memoryview(segmentation)) > 64:  # longer ones are decoded only if they are used
            return False
        try:
            segmentation = decode_raw(segmentation)
        except ValueError:  # reported with the outlines
            return False
    return not segmentation or (
        isinstance(segmentation, list) and all(part is None or part == [] for part in segmentation)
    )


def outline_reader(
    segmentations: Sequence[object], location: Callable[[int], Location], findings: Findings
) -> Callable[[int], Outline | None] | None:
    """A function that gives the outline of annotation n, see `Labels.outline`; None if there are no outlines.

    segmentations: of the annotations, as written (`msgspec.Raw`) or decoded
    findings:      gets the outlines of which a part is left out, once they are read
    """
    if all(map(is_empty, segmentations)):
        return None
    noted = set[int]()

    def outline(row: int) -> Outline | None:
        if is_empty(segmentations[row]):
            return None
        parsed, is_complete = parse_segmentation(segmentations[row])
        if not is_complete and row not in noted:
            noted.add(row)
            findings.add(Finding(OUTLINE_PART_LEFT_OUT, location(row)))
        return parsed

    return outline


def largest_area(segmentation: object) -> float:
    """The largest area that an outline can have; 0 for one that is missing or cannot be read.

    For run lengths it is the number of their pixels, else the area of the box around the polygons.
    """
    if is_empty(segmentation):
        return 0.0
    try:
        outline, _ = parse_segmentation(segmentation)
    except ValueError:
        return 0.0
    if isinstance(outline, RunLengths):
        return float(outline.counts[1::2].sum(dtype=np.int64))
    x1, y1, x2, y2 = outline.bounds().tolist()
    return float((x2 - x1 + 1) * (y2 - y1 + 1))


def parse_segmentation(segmentation: object) -> tuple[Outline, bool]:
    """An outline, and whether no part is left out. Raises ValueError, with what is wrong."""
    if isinstance(segmentation, msgspec.Raw):
        polygons = _decode_polygons(segmentation)
        if polygons is not None:
            return polygons, True
        segmentation = decode_raw(segmentation)
    if isinstance(segmentation, dict):
        return _run_lengths(segmentation), True
    if not isinstance(segmentation, list):
        found = f"found {str(segmentation)[:60]}"
        raise ValueError(f'expected a list of polygons, [[x, y, ...]], or "size" and "counts", {found}')
    kept = [part for part in segmentation if part and not (isinstance(part, list) and len(part) < 6)]
    parts = kept or segmentation
    if not all(isinstance(part, list) for part in parts):
        found = f"found {str(segmentation)[:60]}"
        raise ValueError(f'expected a list of polygons, [[x, y, ...]], or "size" and "counts", {found}')
    return Polygons(tuple(map(_points, parts))), len(parts) == len(segmentation)


def _decode_polygons(segmentation: msgspec.Raw) -> Polygons | None:
    """Polygons in the usual form, which is quicker; None for anything else. Their numbers are finite."""
    try:
        parts = _POLYGONS.decode(segmentation)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if not parts or any(len(part) < 6 or len(part) % 2 for part in parts):
        return None
    return Polygons(tuple(np.array(part).reshape(-1, 2) for part in parts))


def _run_lengths(fields: dict[str, object]) -> RunLengths:
    size, counts = fields.get("size"), fields.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and set(map(type, size)) == {int}):
        raise ValueError(f'expected "size" as [height, width], found {str(size)[:60]}')
    if isinstance(counts, str):
        counts = rle.decompress(counts).tolist()
    if not (isinstance(counts, list) and set(map(type, counts)) <= {int}):
        raise ValueError(f'expected "counts" as whole numbers or text, found {str(counts)[:60]}')
    if min(counts, default=0) < 0:
        raise ValueError(f"expected run lengths of 0 or more, found a run length of {str(min(counts))[:60]}")
    height, width = size
    if min(size) < 1 or height * width >= _MAX_PIXELS:
        raise ValueError(f'expected the size of a photo as "size", found {str(size)[:60]}')
    if sum(counts) != height * width:
        found = f"its run lengths add up to {str(sum(counts))[:60]}"
        raise ValueError(f"{found}, its size of {width} × {height} has {height * width} pixels")
    return RunLengths(np.array(counts, dtype=np.int32), (height, width))


def _points(polygon: list[object]) -> Float[np.ndarray, "M 2"]:
    """The points x, y of a polygon. Raises ValueError if it is malformed."""
    if not set(map(type, polygon)) <= _JSON_NUMBERS:
        raise ValueError(f"expected a polygon of numbers, found {str(polygon)[:60]}")
    if len(polygon) < 6:
        count = format_count(len(polygon) // 2, "point")
        raise FewPointsError(f"a polygon of {count}; it needs at least 3, [x, y, x, y, x, y]")
    if len(polygon) % 2:
        raise ValueError(f"a polygon of {len(polygon)} numbers; each point needs x and y")
    points = np.array(list(map(to_float, polygon))).reshape(-1, 2)  # type: ignore[arg-type]
    if not np.isfinite(points).all():
        raise ValueError("a polygon with a coordinate that is not finite")
    return points
