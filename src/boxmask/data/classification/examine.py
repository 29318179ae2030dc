"""Examine class folders: everything that is wrong with them, without stopping."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.classification.class_folders import check_identical_photos, find_class_folders
from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.detection.photo_sizes import sides_or_ones
from boxmask.data.findings import Findings, Location
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.photo_checks import UNREADABLE, check_photos

NAME = "class folders (one folder of photos per class)"


def examine_class_folders(path: str | Path, findings: Findings) -> Examination:
    """Read the headers of photos in class folders, and check folders and copies.

    Each photo is one object, whose box is as large as the photo.
    Findings never stop it. Raises LabelError if there are no class folders at `path`.
    """
    folder = find_class_folders(Path(path), findings)
    root, items = folder.root, list(folder.items.items())
    # Copies in one class are left to the checks of photos.
    check_identical_photos(root, folder.items, findings, only_across_classes=True)
    sizes, _ = check_photos(root, [file for file, _ in items], on_bad_photos=None)
    known = (sizes != UNREADABLE).any(axis=1)
    names = sorted({item.class_name for _, item in items})
    locations = [Location(str(root / file)) for file, _ in items]
    boxes = np.concatenate([np.zeros_like(sizes), sides_or_ones(sizes)[:, ::-1]], axis=1).astype(np.float64)
    labels = Labels(
        root=root,
        class_names=tuple(names),
        photos=[
            PhotoEntry(file, location, split=item.split or None)
            for (file, item), location in zip(items, locations, strict=True)
        ],
        photo_of=np.arange(len(items)),
        boxes=boxes,
        extents=boxes[:, 2:].copy(),
        labels=np.array([names.index(item.class_name) for _, item in items], dtype=np.int64),
        areas=np.full(len(items), np.nan),
        crowd=np.zeros(len(items), dtype=bool),
        difficult=np.zeros(len(items), dtype=bool),
        location=lambda row: locations[row],
        box_form="mask",
        format_name=NAME,
    )
    return Examination(labels, sizes, known, CompressedMasks.unknown(len(items)))
