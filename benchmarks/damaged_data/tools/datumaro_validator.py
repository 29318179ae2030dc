"""Datumaro's validator: COCO, VOC, YOLO, CVAT, CreateML and folders of classes."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from damaged_data.tools.reported import LABELS, PHOTOS, Reported

_IMPORTERS = {
    "coco": "coco",
    "voc": "voc",
    "yolo": "yolo",
    "cvat": "cvat",
    "createml": "roboflow_create_ml",
    "class-folders": "imagenet_with_subset_dirs",
}
_DEFAULTS = {
    "few_samples_thr": 1,
    "imbalance_ratio_thr": 50,
    "far_from_mean_thr": 5,
    "dominance_ratio_thr": 0.8,
    "topk_bins": 0.1,
}
_STRANGE_SIZES = ("FarFromLabelMean", "ImbalancedDistInLabel")

NAME = "Datumaro"
PACKAGE = "datumaro"
FORMATS = tuple(_IMPORTERS)
SUFFIXES = (*LABELS, *PHOTOS)
SORTS = {
    "file-unreadable": ("exception",),
    "entry-unreadable": ("exception", "InvalidValue"),
    "outline-unreadable": ("exception", "InvalidValue"),
    "id-repeated": ("exception",),
    "id-unknown": ("exception", "UndefinedLabel"),
    "class-unknown": ("exception", "UndefinedLabel"),
    "class-shift": ("exception", "UndefinedLabel", "LabelDefinedButNotFound"),
    "photo-listed-twice": ("exception",),
    "photo-missing": ("exception",),
    "photo-without-label": ("MissingAnnotation",),
    "background-share": ("MissingAnnotation",),
    "box-empty": ("NegativeLength",),
    "box-inverted": ("NegativeLength", "exception"),
    "box-not-finite": ("InvalidValue", "NegativeLength", "exception"),
    "box-tiny": _STRANGE_SIZES,
    "box-whole-photo": _STRANGE_SIZES,
    "box-extreme-shape": _STRANGE_SIZES,
    "outline-empty": ("NegativeLength", "InvalidValue"),
    "outline-few-points": ("exception", "InvalidValue"),
    "class-empty": ("LabelDefinedButNotFound",),
    "class-rare": ("FewSamplesInLabel",),
    "class-imbalance": ("ImbalancedLabels",),
    "photo-unreadable": ("exception",),
}


def check(folder: Path, format_name: str) -> list[Reported]:
    from datumaro.components.dataset import Dataset
    from datumaro.plugins.validators import ClassificationValidator, DetectionValidator

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "data"
        shutil.copytree(folder, copy)
        if format_name == "voc":
            _write_label_map(copy)
        dataset = Dataset.import_from(str(copy), _IMPORTERS[format_name])
        kind = ClassificationValidator if format_name == "class-folders" else DetectionValidator
        reports = kind(**_DEFAULTS).validate(dataset)["validation_reports"]
    return [
        Reported(
            report["anomaly_type"],
            report["severity"].replace("info", "note"),
            f"{report.get('item_id', '')} {report['description']}",
        )
        for report in reports
    ]


def _write_label_map(folder: Path) -> None:
    """The list of classes, without which only VOC's own classes are known."""
    names: dict[str, None] = {}
    for file in sorted((folder / "Annotations").glob("*.xml")):
        names |= dict.fromkeys(re.findall("<name>(.*?)</name>", file.read_text("utf-8", errors="replace")))
    lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    lines += [f"{name}:{index + 1},0,0::" for index, name in enumerate(names)]
    (folder / "labelmap.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
