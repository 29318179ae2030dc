"""Everything that is wrong with class folders is found in one pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from boxmask.data.classification.examine import examine_class_folders
from boxmask.data.findings import Findings
from boxmask.errors import LabelError

Save = Callable[..., None]


def test_photos_are_objects_as_large_as_they_are(tmp_path: Path) -> None:
    for number, name in enumerate(("train/cat/a.png", "train/dog/b.png", "test/dog/c.png")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + number, 10), (number, 0, 0)).save(tmp_path / name)
    findings = Findings()
    labels = examine_class_folders(tmp_path, findings).labels
    assert not list(findings)
    assert [photo.split for photo in labels.photos] == ["test", "train", "train"]
    assert [labels.class_names[label] for label in labels.labels] == ["dog", "cat", "dog"]
    assert labels.boxes.tolist() == [[0, 0, 22, 10], [0, 0, 20, 10], [0, 0, 21, 10]]


def test_all_damages_are_found_at_once(tmp_path: Path, save_photo: Save) -> None:
    for number, name in enumerate(("cat/a.jpg", "dog/b.jpg", "loose.jpg")):
        save_photo(tmp_path / name, (20 + number, 30))
    (tmp_path / "dog/copy.jpg").write_bytes((tmp_path / "cat/a.jpg").read_bytes())
    (tmp_path / "cat/again.jpg").write_bytes((tmp_path / "cat/a.jpg").read_bytes())
    (tmp_path / "cow").mkdir()
    (tmp_path / "dog/torn.jpg").write_bytes(b"no photo")
    findings = Findings()
    examination = examine_class_folders(tmp_path, findings)
    assert {kind.id: findings.count(kind) for kind in findings.kinds} == {
        "photo-without-label": 1,
        "class-folder-empty": 1,
        "photo-listed-twice": 1,
    }
    (several,) = (finding for finding in findings if finding.kind.id == "photo-listed-twice")
    assert several.related == ("cat/again.jpg", "dog/copy.jpg")
    assert examination.sizes_known.sum() == 4
    assert examination.sizes.shape == (5, 2)


def test_classes_beside_splits_are_found(tmp_path: Path, save_photo: Save) -> None:
    for number, name in enumerate(("train/cat/a.jpg", "test/cat/b.jpg", "extra/c.jpg")):
        save_photo(tmp_path / name, (20 + number, 30))
    findings = Findings()
    examine_class_folders(tmp_path, findings)
    assert [finding.kind.id for finding in findings] == ["class-folders-mixed", "photo-without-label"]


def test_no_class_folders_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no class folders found: there are no photos in it"):
        examine_class_folders(tmp_path, Findings())
