"""cleanvision: photos, in any format of labels."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from damaged_data.tools.reported import PHOTOS, Reported

_PAIRS = ("exact_duplicates", "near_duplicates")
_COPIES = {
    "photo-copies": ("exact_duplicates",),
    "photo-near-copies": ("near_duplicates", "exact_duplicates"),
    "photo-copies-across-splits": ("exact_duplicates",),
    "photo-near-copies-across-splits": ("near_duplicates", "exact_duplicates"),
    "group-across-splits": ("near_duplicates",),
    "copies-labeled-differently": ("exact_duplicates",),
}

NAME = "cleanvision"
PACKAGE = "cleanvision"
FORMATS = (
    "coco", "voc", "yolo", "labelme", "via", "cvat", "label-studio", "csv", "createml", "label-maps",
    "class-folders",
)  # fmt: skip
SUFFIXES = PHOTOS
SORTS = {
    "photo-unreadable": ("exception", "unreadable"),
    "photo-truncated": ("exception", "unreadable"),
    "photo-blank": ("low_information",),
    "photo-dark": ("dark",),
    "photo-light": ("light",),
    "photo-blurred": ("blurry",),
    "photo-odd-size": ("odd_size", "odd_aspect_ratio"),
    "photo-odd-mode": ("grayscale",),
    **_COPIES,
}


def check(folder: Path, format_name: str) -> list[Reported]:
    from cleanvision import Imagelab

    photos = [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PHOTOS and "masks" not in path.parts
    ]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        lab = Imagelab(filepaths=photos)
        lab.find_issues(n_jobs=1, verbose=False)
    issues = lab.issues
    found = []
    for column in (name for name in issues.columns if name.startswith("is_")):
        kind = column.removeprefix("is_").removesuffix("_issue")
        if kind not in _PAIRS:
            found += [_warning(kind, [path], folder) for path in issues.index[issues[column].astype(bool)]]
    for kind in _PAIRS:
        found += [_warning(kind, paths, folder) for paths in lab.info.get(kind, {}).get("sets", [])]
    lines = [line for line in said.getvalue().splitlines() if "arning" in line or "rror" in line]
    found += [Reported("unreadable", "warning", line.replace(str(folder), "")) for line in lines]
    return found


def _warning(kind: str, paths: list[str], folder: Path) -> Reported:
    return Reported(kind, "warning", " ".join(str(path).replace(str(folder), "") for path in paths))
