"""The annotations of a COCO file as columns."""

from __future__ import annotations

import math
from array import array
from typing import Literal

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings
from boxmask.data.formats.coco.entries import CocoEntries
from boxmask.data.formats.coco.values import is_flag_as_text, parse_annotation
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, VALUE_CONVERTED


class _Annotation(msgspec.Struct):
    """An annotation in the usual form; the fields are those of COCO."""

    image_id: int | str
    category_id: int | str
    id: int | str | UnsetType = UNSET
    bbox: tuple[float, float, float, float] | UnsetType = UNSET
    area: float | UnsetType = UNSET
    iscrowd: Literal[0, 1] | UnsetType = UNSET
    segmentation: Raw | UnsetType = UNSET
    ignore: Raw | UnsetType = UNSET


_OPTIONAL = ("id", "bbox", "area", "iscrowd", "segmentation", "ignore")
_DECODER = msgspec.json.Decoder(_Annotation)


class Annotations:
    """The annotations that can be read.

    indices:       in the list of the file
    boxes:         x, y, width and height of each, one after the other; four NaN for a missing box
    areas:         NaN for a missing area
    segmentations: as written (`msgspec.Raw`) or decoded; None for a missing one
    ignored:       whether the annotation has the mark "ignore", which MMDetection reads as VOC's "difficult"
    """

    def __init__(self) -> None:
        self.indices = array("q")
        self.ids: list[int | float | str | None] = []
        self.image_ids: list[int | str] = []
        self.category_ids: list[int | str] = []
        self.boxes = array("d")
        self.areas = array("d")
        self.crowd = bytearray()
        self.ignored = bytearray()
        self.segmentations: list[object] = []

    def __len__(self) -> int:
        return len(self.indices)

    def boxes_xywh(self) -> NDArray[np.float64]:
        """(N, 4) the boxes as written; four NaN for a missing one."""
        return np.array(self.boxes, dtype=np.float64).reshape(-1, 4)


def read_annotations(entries: CocoEntries, findings: Findings) -> Annotations:
    """Read the annotations of a file. Those that cannot be read are left out and added to the findings.

    Raises LabelError for keys that an annotation holds twice with different values.
    """
    annotations = Annotations()
    present = dict.fromkeys(_Annotation.__struct_fields__, 0)
    for index, raw in enumerate(entries.lists["annotations"]):
        found = _decode(raw)
        if found is not None:
            for field in _OPTIONAL:
                present[field] += getattr(found, field) is not UNSET
            present["image_id"] += 1
            present["category_id"] += 1
            _add(found, index, annotations)
            continue
        entry = entries.entry("annotations", index)
        for field in present:
            present[field] += isinstance(entry, dict) and field in entry
        _add_unusual(entry, index, entries, annotations, findings)
    entries.check_repeated_keys("annotations", present)
    return annotations


def _decode(raw: object) -> _Annotation | None:
    """An annotation in the usual form; None for any other."""
    try:
        found = _DECODER.decode(raw) if isinstance(raw, Raw) else None
    except (msgspec.MsgspecError, RecursionError):
        return None
    return None if found is None or found.bbox is UNSET else found


def _add(found: _Annotation, index: int, annotations: Annotations) -> None:
    """Add an annotation in the usual form."""
    annotations.indices.append(index)
    annotations.ids.append(None if found.id is UNSET else found.id)
    annotations.image_ids.append(found.image_id)
    annotations.category_ids.append(found.category_id)
    annotations.boxes.extend(() if found.bbox is UNSET else found.bbox)
    annotations.areas.append(math.nan if found.area is UNSET else found.area)
    annotations.crowd.append(found.iscrowd == 1)
    annotations.ignored.append(found.ignore is not UNSET and bytes(found.ignore) in (b"1", b"true"))
    annotations.segmentations.append(None if found.segmentation is UNSET else found.segmentation)


def _add_unusual(
    entry: object, index: int, entries: CocoEntries, annotations: Annotations, findings: Findings
) -> None:
    """Add an annotation in another form, if it can be read."""
    is_text = is_flag_as_text(entry)
    error = parse_annotation(entry)
    if error or not isinstance(entry, dict):
        location = entries.location("annotations", index)
        findings.add(Finding(ENTRY_UNREADABLE, location, error or "", num_left_out=1))
        return
    if is_text:
        location = entries.location("annotations", index)
        findings.add(Finding(VALUE_CONVERTED, location, "iscrowd is text and is read as a number"))
    known_id = entry.get("id")
    annotations.indices.append(index)
    annotations.ids.append(known_id if isinstance(known_id, int | float | str) else None)
    annotations.image_ids.append(entry["image_id"])
    annotations.category_ids.append(entry["category_id"])
    annotations.boxes.extend(entry["bbox"] or (math.nan,) * 4)
    annotations.areas.append(entry["area"])
    annotations.crowd.append(entry["iscrowd"])
    annotations.ignored.append(entry.get("ignore") in (1, True))
    annotations.segmentations.append(entry.get("segmentation"))
