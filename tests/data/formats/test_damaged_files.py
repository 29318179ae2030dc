"""Label files that are empty or no text are errors, although no format recognizes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.doctor.check import check_data
from boxmask.errors import LabelError

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
EMPTY, NO_TEXT = b" \n", b"\x00\x01\x02" * 9


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A table of labels per split."""
    for split in ("train", "test"):
        (tmp_path / "images" / split).mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "images" / split / f"{split}.png")
        (tmp_path / f"{split}_labels.csv").write_text(f"{HEADER}{split}.png,40,30,cat,1,2,20,25\n")
    return tmp_path


def found(data: Path) -> list[tuple[str, str]]:
    findings = check_data(data, labels_only=True).findings
    return [
        (finding.location.file, finding.detail)
        for finding in findings
        if finding.kind.id == "file-unreadable"
    ]


@pytest.mark.parametrize(("content", "reason"), [(EMPTY, "this file is empty"), (NO_TEXT, "byte 0 is zero")])
def test_the_labels_of_one_split(tables: Path, content: bytes, reason: str) -> None:
    path = tables / "train_labels.csv"
    path.write_bytes(content)
    [(file, detail)] = found(tables)
    assert file == str(path)
    assert reason in detail
    with pytest.raises(LabelError, match=reason):
        read_detection(tables)


def test_the_only_label_file(tables: Path) -> None:
    (tables / "test_labels.csv").unlink()
    (tables / "train_labels.csv").write_bytes(EMPTY)
    assert [file for file, _ in found(tables)] == [str(tables / "train_labels.csv")]


def test_other_files_are_no_labels(tables: Path) -> None:
    (tables / "settings.json").write_bytes(EMPTY)
    (tables / "notes.txt").write_bytes(NO_TEXT)
    (tables / "names.csv").write_text("cat\n", encoding="utf-16")
    assert found(tables) == []


def test_every_file_is_opened(tables: Path) -> None:
    for number in range(1100):
        (tables / f"statistics_{number:04}.csv").write_text("a,b\n1,2\n")
    (tables / "val_labels.csv").write_bytes(EMPTY)
    assert [file for file, _ in found(tables)] == [str(tables / "val_labels.csv")]
