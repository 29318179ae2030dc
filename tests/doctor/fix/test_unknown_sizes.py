"""A photo whose size nobody knows: the mended copy declares none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.photo_sizes import SIZE_UNKNOWN
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite, Writer
from boxmask.data.formats.table import FORMATS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data
from boxmask.errors import LabelError

SIZE = (80, 100)
WRITERS: dict[str, Writer] = {
    form.WRITER.NAME: form.WRITER for group in FORMATS for form in group if hasattr(form, "WRITER")
}


DECLARING = ("coco", "csv", "cvat", "labelme", "voc")
"""Formats that declare the sizes of photos."""


def write(folder: Path, writer: Writer) -> Path:
    """Two photos, the first one damaged; the labels do not declare their size."""
    photos = []
    for number in range(2):
        path = folder / writer.photo_file(f"{number}.jpg", "train")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        if number == 0:
            path.write_bytes(b"no photo")
        objects = tuple(ObjectToWrite("cat", box) for box in ((10, 10, 40, 45), (50, 20, 90, 60)))
        photos.append(PhotoToWrite(path, f"{number}.jpg", SIZE, "train", objects, size_known=False))
    writer.write(iter(photos), ClassNames(("cat",)), folder, Losses())
    return folder


@pytest.mark.parametrize("name", sorted(WRITERS.keys() - {"label-studio"}))
def test_no_size_is_guessed(name: str, tmp_path: Path) -> None:
    before = check_data(write(tmp_path / "data", WRITERS[name]))
    copy = fix_data(before, tmp_path / "copy").report
    assert before.examination is not None
    assert copy.examination is not None
    old, new = before.examination.labels, copy.examination.labels
    assert [photo.declared_size for photo in old.photos] == [None, None]
    assert [photo.declared_size for photo in new.photos] == [None, SIZE if name in DECLARING else None]
    assert np.allclose(old.boxes, new.boxes, rtol=0, atol=1e-6)


def test_label_studio_without_sizes_holds_no_object_to_copy(tmp_path: Path) -> None:
    data = write(tmp_path / "data", WRITERS["label-studio"])
    with pytest.raises(LabelError, match=r"would hold 0 of 4 objects[\s\S]*expected the size of its photo"):
        fix_data(check_data(data), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_fractions_of_an_unknown_size_are_not_written_as_pixels(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    Image.new("RGB", (100, 80)).save(data / "images" / "a.png")
    (data / "images" / "b.png").write_bytes(b"no photo")
    (data / "class-descriptions.csv").write_text("/m/1,cat\n")
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf"
    rows = [f"{photo},xclick,/m/1,1,0.1,0.5,0.2,0.8,0,0,0" for photo in "ab"]
    (data / "train-annotations-bbox.csv").write_text("\n".join([header, *rows]) + "\n")
    copy = fix_data(check_data(data), tmp_path / "copy")
    assert [str(absence).split(": ", 1)[1] for absence in copy.absences if absence.kind is SIZE_UNKNOWN] == [
        "photo (its labels are fractions of an unknown size) [size-unknown]",
        "1 object, cat in images/b.png (its labels are fractions of an unknown size) [size-unknown]",
    ]
    assert copy.report.examination is not None
    assert copy.report.examination.labels.boxes.tolist() == [[10, 16, 50, 64]]
