"""Mended copies in every format that holds boxes of objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.findings import Box
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite, Writer
from boxmask.data.formats.table import FORMATS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data

WRITERS: dict[str, Writer] = {
    form.WRITER.NAME: form.WRITER for group in FORMATS for form in group if hasattr(form, "WRITER")
}
BOXES: tuple[tuple[str, Box], ...] = (
    ("cat", (10, 10, 40, 40)),
    ("dog", (50, 20, 90, 60)),
    ("cat", (60, 30, 120, 70)),  # beyond the right edge
    ("cat", (10, 10, 40, 40)),  # again
)
SIZE = (80, 100)
CLIPPING = ("yolo",)
"""Formats whose writer clips boxes."""


def damaged(folder: Path, writer: Writer) -> Path:
    """Boxes of which one reaches beyond its photo and one is repeated, on each of two photos."""
    source, target = folder / "source", folder / "data"
    source.mkdir()
    target.mkdir()
    photos = []
    for number in range(2):
        name = f"{number}.jpg"
        pixels = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(source / name)
        path = target / writer.photo_file(name, "train")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((source / name).read_bytes())
        objects = tuple(ObjectToWrite(class_name, box) for class_name, box in BOXES)
        photos.append(PhotoToWrite(path, name, SIZE, "train", objects))
    writer.write(iter(photos), ClassNames(("cat", "dog")), target, Losses())
    return target


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_mended_copy_has_its_format_and_is_mended_once(name: str, tmp_path: Path) -> None:
    report = check_data(damaged(tmp_path, WRITERS[name]))
    assert report.examination is not None
    first = fix_data(report, tmp_path / "first")
    beyond = [] if name in CLIPPING else ["box-beyond-edge"] * 2
    assert sorted(change.kind.id for change in first.changes) == [*beyond, *["box-repeated"] * 2]
    assert first.report.labels == report.labels
    assert first.report.summary is not None
    assert [row.objects for row in first.report.summary.classes] == [(4,), (2,)]
    assert (first.path / "changes.diff").read_text().startswith("--- a/")
    second = fix_data(first.report, tmp_path / "second")
    assert second.changes == ()
    assert (second.path / "changes.diff").read_text() == ""
