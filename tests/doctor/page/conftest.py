"""Labels for the photos of the report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.findings import Location
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.outlines import Outline
from boxmask.doctor.report import CheckReport


@pytest.fixture
def examination_of(report: CheckReport) -> Callable[..., Examination]:
    """Makes labels: in each photo of the report, an object per class in its list. Then their outlines."""
    return partial(_examination, report)


def _examination(
    report: CheckReport, labels: list[list[int]], outlines: list[Outline | None] | None = None
) -> Examination:
    files = sorted(path.relative_to(report.root).as_posix() for path in report.root.rglob("*.jpg"))
    photo_of = np.repeat(np.arange(len(labels)), [len(each) for each in labels])
    count = len(photo_of)
    boxes = np.tile([20.0, 30.5, 60.0, 90.0], (count, 1))
    read = Labels(
        root=report.root,
        class_names=("cat", "<b>dog</b>"),
        photos=[
            PhotoEntry(file, Location(str(report.root / "labels.csv")), split=Path(file).parent.name)
            for file in files[: len(labels)]
        ],
        photo_of=photo_of,
        boxes=boxes,
        extents=boxes[:, 2:] - boxes[:, :2],
        labels=np.array([label for each in labels for label in each], dtype=np.int64),
        areas=np.full(count, np.nan),
        crowd=np.zeros(count, bool),
        difficult=np.zeros(count, bool),
        location=lambda row: Location("labels.csv", row + 1),
        box_form="corners",
        outline=outlines.__getitem__ if outlines else None,
    )
    sizes = np.tile([120, 160], (len(labels), 1))
    return Examination(read, sizes, np.ones(len(labels), bool), CompressedMasks.unknown(count))
