"""Mended copies of class folders and label maps, in which files get other names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data


def save_photo(path: Path, form: str = "JPEG", seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((80, 60), Image.Resampling.BICUBIC).save(path, form)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.name[0] != ".")


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    """Two classes, one of them in two spellings; a photo with a wrong suffix."""
    folder = tmp_path / "data"
    for seed, name in enumerate(("cat/a.jpg", "cat/b.jpg", "cat /c.jpg", "dog/d.jpg", "dog/e.jpg")):
        save_photo(folder / name, "PNG" if name == "dog/e.jpg" else "JPEG", seed)
    return folder


def test_class_folders_are_merged_and_photos_renamed(class_folders: Path, tmp_path: Path) -> None:
    copy = fix_data(check_data(class_folders), tmp_path / "out")
    assert [name for name in files(copy.path) if "/" in name] == [
        "cat/a.jpg",
        "cat/b.jpg",
        "cat/c.jpg",
        "dog/d.jpg",
        "dog/e.png",
    ]
    assert sorted(change.kind.id for change in copy.changes) == ["class-name-spellings", "photo-wrong-suffix"]
    assert (copy.path / "changes.diff").read_text() == ""
    assert fix_data(copy.report, tmp_path / "again").changes == ()


def test_a_photo_is_not_renamed_to_the_name_of_another(class_folders: Path, tmp_path: Path) -> None:
    save_photo(class_folders / "dog" / "e.png", "PNG", seed=9)
    copy = fix_data(check_data(class_folders), tmp_path / "out")
    assert {"dog/e.jpg", "dog/e.png"} <= set(files(copy.path))


def test_label_maps_stay_beside_their_photos(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number in range(3):
        save_photo(data / "images" / f"{number}.png", "JPEG" if number == 1 else "PNG", number)
        numbers = np.zeros((60, 80), np.uint8)
        numbers[20:40, 10 : 40 + number] = 1
        (data / "masks").mkdir(exist_ok=True)
        Image.fromarray(numbers).save(data / "masks" / f"{number}.png")
    (data / "classes.txt").write_text("0 background\n1 field\n")
    copy = fix_data(check_data(data), tmp_path / "out")
    assert [str(change.kind.id) for change in copy.changes] == ["photo-wrong-suffix"]
    assert "images/1.jpg" in files(copy.path)
    assert copy.report.labels == "label maps"
    assert not copy.report.has_errors
