"""Counts the objects in label files of the corpus, without boxmask."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


def _via(document: Any) -> int:
    images = document.get("_via_img_metadata", document)
    return sum(len(image["regions"]) for image in images.values())


def _label_studio(tasks: Any) -> int:
    """Of all annotators, and of predictions."""
    lists = [each for task in tasks for key in ("annotations", "predictions") for each in task.get(key, [])]
    return sum(len(each["result"]) for each in lists)


_COUNTERS: Mapping[str, tuple[str, Callable[[str], int]]] = {
    "coco": (".json", lambda text: len(json.loads(text)["annotations"])),
    "voc": (".xml", lambda text: text.count("<object>")),
    "yolo": (".txt", lambda text: sum(bool(line.strip()) for line in text.splitlines())),
    "labelme": (".json", lambda text: len(json.loads(text)["shapes"])),
    "via": (".json", lambda text: _via(json.loads(text))),
    "cvat": (".xml", lambda text: len(re.findall(r"<(box|polygon|mask|ellipse|polyline|points)\b", text))),
    "label-studio": (".json", lambda text: _label_studio(json.loads(text))),
    "csv": (".csv", lambda text: sum(bool(line.strip()) for line in text.splitlines()[1:])),
    "createml": (".json", lambda text: sum(len(photo["annotations"]) for photo in json.loads(text))),
}
FORMATS = tuple(_COUNTERS)
_NO_LABELS = ("changes.txt", "left.txt", "train.txt", "val.txt", "test.txt", "classes.txt")


def count_objects(form: str, folder: Path) -> dict[Path, int]:
    """The objects by label file. Files that cannot be read have none."""
    suffix, count = _COUNTERS[form]
    counts = {}
    for path in folder.rglob(f"*{suffix}"):
        if path.name in _NO_LABELS or path.name.startswith("."):
            continue
        content = path.read_bytes()
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        try:
            counts[path] = count(text)
        except ValueError:
            counts[path] = 0
    return counts


def photo_files(folder: Path) -> set[Path]:
    """The files with the suffix of a photo."""
    return {path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES}
