"""Photos without a label stay without one in a mended copy, or the account names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite, Writer
from boxmask.data.formats.kinds import PHOTO_MISSING, PHOTO_WITHOUT_LABEL
from boxmask.data.formats.mask_images import INSTANCE_MAP_WRITER
from boxmask.data.formats.table import FORMATS
from boxmask.data.outlines import Polygons
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data

WRITERS: dict[str, Writer] = {
    form.WRITER.NAME: form.WRITER for group in FORMATS for form in group if hasattr(form, "WRITER")
} | {"instance maps": INSTANCE_MAP_WRITER}


def save_photo(folder: Path, writer: Writer, number: int) -> Path:
    path = folder / writer.photo_file(f"shot{number}.jpg", "train")
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_photo_without_label_stays_without_or_is_named(name: str, tmp_path: Path) -> None:
    data, writer = tmp_path / "data", WRITERS[name]
    outline = Polygons((np.array([[10, 10], [40, 10], [40, 40], [10, 40]], dtype=np.float64),))
    objects = (ObjectToWrite("cat", (10, 10, 40, 40), outline),)
    photos = [
        PhotoToWrite(save_photo(data, writer, number), f"shot{number}.jpg", (80, 100), "train", objects)
        for number in range(3)
    ]
    writer.write(iter(photos), ClassNames(("cat",)), data, Losses())
    unlabeled = save_photo(data, writer, 3)
    report = check_data(data)
    assert report.findings.count(PHOTO_WITHOUT_LABEL) == 1
    copy = fix_data(report, tmp_path / "out")
    in_copy = [path.name for path in copy.path.rglob("*.jpg")]
    assert copy.report.findings.count(PHOTO_WITHOUT_LABEL) == in_copy.count(unlabeled.name)
    account = (copy.path / "changes.txt").read_text(encoding="utf-8")
    assert (unlabeled.name in in_copy) != (f"{unlabeled}: photo" in account)
    assert unlabeled.name in (copy.path / "left.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(WRITERS.keys() - {"instance maps"}))
def test_a_renamed_photo_is_suggested_and_no_labeled_one(name: str, tmp_path: Path) -> None:
    data, writer = tmp_path / "data", WRITERS[name]
    objects = (ObjectToWrite("cat", (10, 10, 40, 40)),)
    photos = [
        PhotoToWrite(save_photo(data, writer, number), f"shot{number}.jpg", (80, 100), "train", objects)
        for number in range(4)
    ]
    writer.write(iter(photos), ClassNames(("cat",)), data, Losses())
    photos[0].path.rename(photos[0].path.with_name("Kopie von shot0.jpg"))
    photos[1].path.unlink()
    findings = check_data(data).findings.of(PHOTO_MISSING)
    details = sorted(finding.detail for finding in findings)
    assert len(details) == 2
    assert details[0].endswith("Kopie von shot0.jpg?)")
    assert not any(labeled in detail for labeled in ("shot2", "shot3") for detail in details)
