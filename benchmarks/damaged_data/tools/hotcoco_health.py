"""hotcoco's health check: COCO JSON, without photos."""

from __future__ import annotations

import json
from pathlib import Path

from damaged_data.tools.reported import Reported

NAME = "hotcoco"
PACKAGE = "hotcoco"
FORMATS = ("coco",)
SUFFIXES = (".json",)
SORTS = {
    "file-unreadable": ("exception",),
    "entry-unreadable": ("exception",),
    "outline-unreadable": ("exception",),
    "id-repeated": ("duplicate_image_id", "duplicate_category_id"),
    "annotation-id-repeated": ("duplicate_annotation_id", "duplicate_ann_id"),
    "id-unknown": ("orphan_image_id", "orphan_category_id"),
    "class-shift": ("orphan_category_id",),
    "box-empty": ("degenerate_bbox",),
    "box-inverted": ("degenerate_bbox",),
    "box-not-finite": ("degenerate_bbox", "exception"),
    "box-outside": ("bbox_out_of_bounds",),
    "box-beyond-edge": ("bbox_out_of_bounds",),
    "coordinates-corners": ("bbox_out_of_bounds",),
    "coordinates-exchanged": ("bbox_out_of_bounds",),
    "coordinates-scaled": ("bbox_out_of_bounds",),
    "box-extreme-shape": ("extreme_aspect_ratio",),
    "box-repeated": ("near_duplicate",),
    "box-repeated-other-class": ("near_duplicate",),
    "box-nearly-repeated": ("near_duplicate",),
    "outline-empty": ("zero_area",),
    "area-wrong": ("zero_area",),
    "class-empty": ("zero_instance_category",),
    "class-rare": ("low_instance_category",),
    "class-missing-in-split": ("zero_instance_category",),
}


def check(folder: Path, format_name: str) -> list[Reported]:
    from hotcoco import COCO

    found = []
    for file in sorted((folder / "annotations").glob("*.json")):
        report = COCO(str(file)).healthcheck()
        for severity in ("error", "warning"):
            for entry in report[f"{severity}s"]:
                ids = sorted(entry["affected_ids"])
                of_annotations = "category" not in entry["code"] and "image" not in entry["code"]
                text = json.dumps({**entry, "affected_ids": ids})
                found.append(Reported(entry["code"], severity, text, tuple(ids) if of_annotations else ()))
    return found
