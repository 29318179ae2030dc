"""changes.txt names every file that rewriting mends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite, Writer
from boxmask.data.formats.table import FORMATS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import MendedCopy, fix_data

WRITERS: dict[str, Writer] = {
    form.WRITER.NAME: form.WRITER for group in FORMATS for form in group if hasattr(form, "WRITER")
}
ACCENTED = "\u00e9\u00e9"
SPELLINGS = (ACCENTED, "e\u0301\u00e9", "\u00e9e\u0301", "e\u0301\u00e9", ACCENTED)
"""Unicode's composed form, and two mixed ones. Some formats cannot hold outer spaces."""


def write(folder: Path, writer: Writer) -> list[Path]:
    """One object per photo, whose class has another spelling in some of them; returns the label files."""
    photos = []
    for number, name in enumerate(SPELLINGS):
        file = f"shot{number}.jpg"
        path = folder / writer.photo_file(file, "train")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (80, 100, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        photos.append(PhotoToWrite(path, file, (80, 100), "train", (ObjectToWrite(name, (10, 10, 40, 40)),)))
    return writer.write(iter(photos), ClassNames(dict.fromkeys(SPELLINGS)), folder, Losses())


def mended_files(copy: MendedCopy, kind_id: str) -> list[str]:
    files = [Path(change.location.file).name for change in copy.changes if change.kind.id == kind_id]
    account = (copy.path / "changes.txt").read_text(encoding="utf-8")
    assert f"  {len(files):,} {kind_id}\n" in account
    assert all(file in account for file in files)
    return sorted(files)


@pytest.mark.parametrize(("name", "suffix"), [("labelme", ".json"), ("voc", ".xml")])
def test_every_file_with_another_spelling_is_named(name: str, suffix: str, tmp_path: Path) -> None:
    write(tmp_path / "data", WRITERS[name])
    copy = fix_data(check_data(tmp_path / "data"), tmp_path / "out")
    assert mended_files(copy, "class-name-spellings") == [f"shot{number}{suffix}" for number in (1, 2, 3)]


@pytest.mark.parametrize("name", ["coco", "createml", "csv", "cvat", "label-studio", "via"])
def test_one_file_with_several_spellings_is_named_for_each(name: str, tmp_path: Path) -> None:
    files = write(tmp_path / "data", WRITERS[name])
    copy = fix_data(check_data(tmp_path / "data"), tmp_path / "out")
    mended = mended_files(copy, "class-name-spellings")
    assert len(mended) == 2
    assert set(mended) <= {file.name for file in files}


def test_every_file_in_percent_is_named(tmp_path: Path) -> None:
    files = write(tmp_path / "data", WRITERS["yolo"])
    labels = [file for file in files if file.suffix == ".txt"]
    for file in labels:
        file.write_text("0 25 31.25 30 37.5\n1 90 93.5 20 13\n", encoding="utf-8")
    (tmp_path / "data" / "data.yaml").write_text("train: images/train\nnames: [a, b]\n", encoding="utf-8")
    copy = fix_data(check_data(tmp_path / "data"), tmp_path / "out")
    assert mended_files(copy, "coordinates-percent") == [f"shot{number}.txt" for number in range(5)]


def test_every_path_elsewhere_is_named(tmp_path: Path) -> None:
    write(tmp_path / "data", WRITERS["labelme"])
    files = sorted((tmp_path / "data").rglob("*.json"))
    for file in files:
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('"shot', '"C:\\\\photos\\\\shot'), encoding="utf-8")
    copy = fix_data(check_data(tmp_path / "data"), tmp_path / "out")
    assert mended_files(copy, "path-elsewhere") == [file.name for file in files]
