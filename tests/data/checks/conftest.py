"""Examinations made by hand: labels in memory, without files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from boxmask.data.checks.examination import Check, Examination
from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.outlines import Outline, fill

Box = Sequence[float]
Object = tuple[int, str, Box]  # photo, class name, x1, y1, x2, y2


def examination_of(
    objects: Sequence[Object] = (),
    *,
    files: Sequence[str] | int = 1,
    size: tuple[int, int] = (300, 400),
    sizes: Sequence[tuple[int, int]] | None = None,
    classes: Sequence[str] | None = None,
    splits: Sequence[str | None] | None = None,
    outlines: Mapping[int, Outline] | None = None,
    crowd: Sequence[int] = (),
    difficult: Sequence[int] = (),
    sizes_known: bool = True,
    box_form: Literal["corners", "mask"] = "corners",
) -> Examination:
    """Labels of photos 000.jpg, ..., if their number is given, of one (height, width) or of several.

    Object n lies in line n + 1 of labels.csv. Its extents and masks follow from its box and outline.
    """
    names = [f"{number:03}.jpg" for number in range(files)] if isinstance(files, int) else list(files)
    class_names = tuple(dict.fromkeys(name for _, name, _ in objects)) if classes is None else tuple(classes)
    boxes = np.array([box for _, _, box in objects], dtype=np.float64).reshape(-1, 4)
    all_sizes = list(sizes or [size] * len(names))
    photos = [
        PhotoEntry(name, Location("labels.csv"), split=split)
        for name, split in zip(names, splits or [None] * len(names), strict=True)
    ]
    rows, shapes = range(len(objects)), dict(outlines or {})
    runs = [np.zeros(0, dtype=np.int32)] * len(objects)
    for row, shape in shapes.items():
        photo_size = all_sizes[objects[row][0]]
        filled = fill(shape, photo_size, photo_size)
        runs[row] = filled if filled[1::2].any() else runs[row]
    labels = Labels(
        root=Path("data"),
        class_names=class_names,
        photos=photos,
        photo_of=np.array([photo for photo, _, _ in objects], dtype=np.int64),
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=np.array([class_names.index(name) for _, name, _ in objects], dtype=np.int64),
        areas=np.full(len(objects), np.nan),
        crowd=np.isin(rows, crowd),
        difficult=np.isin(rows, difficult),
        location=lambda row: Location("labels.csv", row + 1),
        box_form=box_form,
        outline=shapes.get if shapes else None,
    )
    return Examination(
        labels=labels,
        sizes=np.array(all_sizes, dtype=np.int32).reshape(-1, 2),
        sizes_known=np.full(len(names), sizes_known),
        masks=CompressedMasks.from_run_lengths(runs),
    )


def found_by(check: Check, examination: Examination) -> list[Finding]:
    findings = Findings()
    check(examination, findings)
    return list(findings)


@pytest.fixture(name="examination_of", scope="session")
def _examination_of() -> Callable[..., Examination]:
    return examination_of


@pytest.fixture(name="found_by", scope="session")
def _found_by() -> Callable[[Check, Examination], list[Finding]]:
    return found_by
