"""Everything that is wrong with label maps is found in one pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.findings import Findings
from boxmask.data.segmentation.examine import examine_label_maps
from boxmask.errors import LabelError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five photos of 8 × 6 pixels: background and, below the first two rows, an object of 3 × 2 pixels."""
    for number in range(5):
        for folder in ("images/train", "masks/train"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6)).save(tmp_path / f"images/train/p{number}.jpg")
        pixels = np.zeros((6, 8), dtype=np.uint8)
        pixels[2:4, 4:7] = 1
        Image.fromarray(pixels).save(tmp_path / f"masks/train/p{number}.png")
    (tmp_path / "classes.txt").write_text("background\ncell\n")
    return tmp_path


def test_classes_of_photos_are_its_objects(root: Path) -> None:
    findings = Findings()
    examination = examine_label_maps(root, findings)
    labels = examination.labels
    assert not list(findings)
    assert labels.class_names == ("background", "cell")
    assert labels.boxes[labels.photo_of == 2].tolist() == [[0, 0, 8, 6], [4, 2, 7, 4]]
    assert labels.areas[labels.photo_of == 2].tolist() == [42, 6]
    assert {photo.split for photo in labels.photos} == {"train"}
    assert examination.sizes.tolist() == [[6, 8]] * 5


def test_all_damages_are_found_at_once(root: Path) -> None:
    masks = root / "masks/train"
    (masks / "p0.png").write_bytes(b"no image")
    Image.fromarray(np.full((6, 8), 9, dtype=np.uint8)).save(masks / "p1.png")
    Image.new("L", (4, 6)).save(masks / "p2.png")
    (masks / "p3.png").unlink()
    Image.new("L", (8, 6)).save(masks / "x9.png")
    findings = Findings()
    examination = examine_label_maps(root, findings)
    found = {kind.id: [Path(f.location.file).name for f in findings.of(kind)] for kind in findings.kinds}
    assert found == {
        "photo-missing": ["x9.png"],
        "label-map-missing": ["p3.jpg"],
        "label-map-unreadable": ["p0.png"],
        "label-map-size": ["p2.png"],
        "label-map-color-unknown": ["p1.png"],
        "label-map-blank": ["p1.png"],
    }
    assert len(examination.labels.photos) == 3


def test_label_maps_without_classes_are_an_error(root: Path) -> None:
    (root / "classes.txt").unlink()
    with pytest.raises(LabelError, match="there is no classes file"):
        examine_label_maps(root, Findings())
