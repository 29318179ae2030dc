"""LibreYOLO's doctor: YOLO's boxes, and their photos."""

from __future__ import annotations

import json
from pathlib import Path

from damaged_data.tools.reported import LABELS, PHOTOS, Reported

_OUTSIDE = ("labels.coords_out_of_range",)

NAME = "LibreYOLO"
PACKAGE = "libreyolo"
FORMATS = ("yolo",)
SUFFIXES = (*LABELS, *PHOTOS)
SORTS = {
    "file-unreadable": ("labels.syntax", "exception"),
    "entry-unreadable": ("labels.syntax", "exception"),
    "outline-unreadable": ("labels.syntax",),
    "class-unknown": ("labels.class_out_of_range",),
    "class-shift": ("labels.class_out_of_range",),
    "class-count-differs": ("config.nc_names_mismatch",),
    "class-name-spellings": ("config.duplicate_names",),
    "split-path-wrong": ("config.path_not_found", "config.missing_split", "exception"),
    "split-missing": ("config.path_not_found", "config.missing_split", "exception"),
    "photo-missing": ("files.missing_image", "files.orphan_label"),
    "photo-without-label": ("files.missing_label",),
    "file-unused": ("files.unsupported_ext",),
    "path-collision": ("files.case_collision",),
    "photo-unreadable": ("images.corrupt",),
    "photo-truncated": ("images.corrupt",),
    "photo-wrong-suffix": ("images.corrupt",),
    "exif-rotated": ("images.exif_orientation",),
    "photo-odd-mode": ("images.odd_mode",),
    "photo-odd-size": ("images.tiny_or_extreme",),
    "photo-blank": ("images.uniform",),
    "photo-copies": ("images.exact_duplicates",),
    "photo-near-copies": ("images.near_duplicates",),
    "photo-copies-across-splits": ("splits.leakage_exact",),
    "photo-near-copies-across-splits": ("splits.leakage_near",),
    "group-across-splits": ("splits.leakage_near",),
    "split-overlap": ("splits.leakage_exact",),
    "box-empty": ("labels.degenerate_box",),
    "box-inverted": ("labels.degenerate_box",),
    "box-not-finite": ("labels.syntax", "labels.degenerate_box", *_OUTSIDE),
    "box-outside": _OUTSIDE,
    "box-beyond-edge": _OUTSIDE,
    "outline-outside": _OUTSIDE,
    "box-tiny": ("labels.tiny_object",),
    "box-whole-photo": ("labels.huge_box",),
    "box-extreme-shape": ("labels.extreme_aspect",),
    "box-repeated": ("labels.duplicate_box",),
    "box-repeated-other-class": ("labels.duplicate_box",),
    "box-nearly-repeated": ("labels.duplicate_box",),
    "boxes-identical": ("labels.identical_files",),
    "coordinates-percent": _OUTSIDE,
    "coordinates-pixels": _OUTSIDE,
    "coordinates-corners": _OUTSIDE,
    "class-missing-in-split": ("balance.split_coverage",),
    "class-empty": ("balance.class_zero_instances",),
    "class-rare": ("balance.class_few_instances",),
    "class-imbalance": ("balance.imbalance",),
    "background-share": ("balance.background_ratio",),
}


def check(folder: Path, format_name: str) -> list[Reported]:
    from libreyolo.doctor import diagnose

    report = diagnose(str(folder / "data.yaml"), progress=False)
    return [
        Reported(
            finding.check_id,
            finding.severity.value.replace("info", "note"),
            json.dumps(finding.to_dict()).replace(str(folder), ""),
        )
        for finding in report.findings
    ]
