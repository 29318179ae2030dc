"""A report made by hand: findings on small photos, some with hostile names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.checks.summary import ClassCount, Histogram, PhotoSize, SplitCount, Summary
from boxmask.data.findings import Box, Finding, Findings, Kind, Location
from boxmask.doctor.report import CheckReport

HOSTILE = '<img src=x onerror="document.title=1">'
SPLITS = ("train", "val", "test")

EMPTY = Kind("box-empty", "error", "Boxes without width or height", "Draw these boxes again.")
UNREADABLE = Kind("file-unreadable", "error", "Label files that cannot be read", "Correct these files.")
TINY = Kind("box-tiny", "warning", "Tiny boxes", "Look at each of them.")
COPIES = Kind("photo-copies-across-splits", "warning", "Copies in several splits", "Keep one of them.")
RARE = Kind("class-rare", "note", "Classes with few objects", "Label more of them.")

Report = Callable[..., CheckReport]


def make_photo(path: Path, size: tuple[int, int] = (160, 120), seed: int = 0) -> None:
    """A smooth photo of (width, height)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)


def make_summary() -> Summary:
    return Summary(
        photos=6,
        objects=9,
        splits=tuple(SplitCount(name, 2, 3, 0) for name in SPLITS),
        classes=(ClassCount("cat", (2, 1, 3), (2, 1, 2)), ClassCount(HOSTILE, (3, 0, 0), (2, 0, 0))),
        objects_per_photo=Histogram((0, 1, 2, 3, 5), (0, 3, 3, 0)),
        box_sizes={"small": 4, "medium": 5, "large": 0},
        box_sides=Histogram(tuple(n / 20 for n in range(21)), (0, 4, 5, *[0] * 17)),
        aspect_ratios=Histogram((0.1, 0.5, 1.0, 2.0, 10.0), (0, 5, 4, 0)),
        median_box=(20.0, 30.5),
        heat_map=tuple(tuple(int(2 < x < 6) * y for x in range(8)) for y in range(8)),
        photo_sizes=(PhotoSize(160, 120, 6),),
        other_photo_sizes=0,
        with_outline=0,
        crowd=1,
        difficult=0,
        unsound_boxes=1,
    )


@pytest.fixture
def report(tmp_path: Path) -> CheckReport:
    """Errors, warnings and a note, of photos in three splits."""
    root = tmp_path / "cats & dogs"
    files = [f"images/{split}/{number}.jpg" for split in SPLITS for number in range(2)]
    for seed, file in enumerate(files):
        make_photo(root / file, seed=seed)
    findings = Findings()

    def add(
        kind: Kind, line: int, detail: str, photo: str = "", box: Box | None = None, *related: str
    ) -> None:
        location = Location(str(root / "labels.json"), line, f"annotations[{line}]")
        findings.add(Finding(kind, location, detail, photo, box, related))

    add(RARE, 1, f"{HOSTILE} has 3 objects")
    add(TINY, 2, "cat is 1 × 1 pixels", files[0], (40.0, 40.0, 41.0, 41.0))
    for line, file in enumerate(files):
        add(EMPTY, line, f"cat in {file} has no width", file, (20.0, 10.0, 20.0, 50.0))
    add(UNREADABLE, 3, f"broken \x1b[31m {HOSTILE}")
    add(COPIES, 4, "the same bytes", files[0], None, files[2], files[4])
    splits = {file: file.split("/")[1] for file in files}
    return CheckReport(root, root, "COCO JSON", findings, len(files), splits, make_summary())


@pytest.fixture
def empty_report(tmp_path: Path) -> CheckReport:
    """A report without findings."""
    return CheckReport(tmp_path, tmp_path, "Pascal VOC", Findings(), 0)
