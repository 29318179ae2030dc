"""No copy is written that holds nearly nothing of the data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite, Writer
from boxmask.data.formats.table import FORMATS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import MendedCopy, fix_data
from boxmask.errors import LabelError

WRITERS: dict[str, Writer] = {
    form.WRITER.NAME: form.WRITER for group in FORMATS for form in group if hasattr(form, "WRITER")
}
NUM_PHOTOS = 12


def labeled(folder: Path, writer: Writer) -> list[Path]:
    """A data set with an object in each photo; returns the photos."""
    photos = []
    for number in range(NUM_PHOTOS):
        name = f"shot{number:02}.jpg"
        path = folder / writer.photo_file(name, "train")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (80, 100, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        objects = (ObjectToWrite("cat", (10, 10, 40 + number, 40)),)
        photos.append(PhotoToWrite(path, name, (80, 100), "train", objects))
    writer.write(iter(photos), ClassNames(("cat",)), folder, Losses())
    return [photo.path for photo in photos]


def rename(photos: list[Path]) -> None:
    for number, photo in enumerate(photos):
        photo.rename(photo.with_name(f"renamed-{'abcdefghijkl'[number]}.jpg"))


@pytest.mark.parametrize("num_left", [0, 1])
@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_copy_without_nearly_all_objects_is_refused(name: str, num_left: int, tmp_path: Path) -> None:
    rename(labeled(tmp_path / "data", WRITERS[name])[num_left:])
    with pytest.raises(LabelError, match=rf"would hold {num_left} of 12 objects[\s\S]*do not exist"):
        fix_data(check_data(tmp_path / "data"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_copy_without_some_objects_is_written(name: str, tmp_path: Path) -> None:
    rename(labeled(tmp_path / "data", WRITERS[name])[4:])
    copy = fix_data(check_data(tmp_path / "data"), tmp_path / "out")
    assert copy.report.summary is not None
    assert [row.objects for row in copy.report.summary.classes] == [(4,)]


def test_a_data_set_without_any_object_may_be_copied(
    write_coco: Callable[..., Path], fix: Callable[[Path, Path], MendedCopy], tmp_path: Path
) -> None:
    assert fix(write_coco(tmp_path / "data", []), tmp_path / "out").changes == ()
