from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO

from boxmask.masks import Masks
from boxmask.outputs import is_output
from boxmask.outputs.marks import is_marked
from boxmask.results.coco import save_coco
from boxmask.results.label_maps import save_instance_map, save_label_map
from boxmask.results.labelme import save_labelme
from boxmask.results.pictures import save_picture
from boxmask.training.curve import draw_curve
from boxmask.types import Detections, SegmentationMap

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def detections() -> Detections:
    masks = Masks.from_dense(np.ones((1, 30, 40), dtype=bool))
    boxes = torch.from_numpy(masks.boxes())
    return Detections(boxes, torch.tensor([0.9]), torch.tensor([0]), ("cat",), (30, 40), masks)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "a.jpg": lambda file: save_picture(PIXELS, file),
    "a.png": lambda file: save_picture(PIXELS, file),
    "coco.json": lambda file: save_coco(["a.jpg"], [detections()], file),
    "labelme.json": lambda file: save_labelme("a.jpg", detections(), file),
    "instances.png": lambda file: save_instance_map(detections(), file),
    "labels.png": lambda file: save_label_map(
        SegmentationMap(torch.zeros((30, 40), dtype=torch.uint8), ("sky",)), file
    ),
    "curve.png": lambda file: draw_curve(file.parent / "log.jsonl", file),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_copy_elsewhere_is_still_known(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / "out" / name)
    (tmp_path / "elsewhere").mkdir()
    copy = Path(shutil.copy(tmp_path / "out" / name, tmp_path / "elsewhere" / f"copied-{name}"))
    assert is_marked(copy)
    assert is_output(copy)


@pytest.mark.parametrize("name", ["coco.json", "labelme.json"])
def test_a_corrected_json_file_is_the_users(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    WRITERS[name](file)
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document))  # written again by another program, with the same content
    assert is_marked(file)
    first = (
        document["annotations"][0]["bbox"]
        if "annotations" in document
        else document["shapes"][0]["points"][0]
    )
    first[0] += 1
    file.write_text(json.dumps(document))
    assert not is_marked(file)
    assert not is_output(file)


def test_a_file_that_labelme_saved_is_the_users(tmp_path: Path) -> None:
    """LabelMe keeps the fields that it does not know, and adds the photo."""
    file = tmp_path / "a.json"
    save_labelme("a.jpg", detections(), file)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"imageData": "AAAA"}))
    assert not is_output(file)


def test_an_image_that_was_painted_over_is_the_users(tmp_path: Path) -> None:
    file = tmp_path / "labels.png"
    WRITERS["labels.png"](file)
    with Image.open(file) as image:
        corrected = np.array(image)
    corrected[0, 0] = 1
    Image.fromarray(corrected).save(file)
    assert not is_output(file)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jpg", b""),
        ("a.jpg", b"\xff\xd8\xff"),
        ("a.json", b"{"),
        ("a.json", b'["Written by boxmask: a result, not a photo or label."]'),
        ("a.json", b'{"info": {"description": "Written by boxmask: a result, not a photo or label."}}'),
        ("a.json", b'{"info": "Written by boxmask: a result, not a photo or label."' + b"[" * 9999),
        ("a.txt", b"Written by boxmask: a result, not a photo or label."),
    ],
)
def test_other_files_are_not_marked(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert not is_marked(tmp_path / name)
    assert not is_marked(tmp_path)
    assert not is_marked(tmp_path / "none.jpg")


def test_the_mark_changes_no_pixel_and_no_annotation(tmp_path: Path) -> None:
    save_picture(PIXELS, tmp_path / "a.png")
    assert np.array_equal(np.array(Image.open(tmp_path / "a.png")), PIXELS)
    save_coco(["a.jpg"], [detections()], tmp_path / "a.json")
    assert COCO(str(tmp_path / "a.json")).loadAnns(1)[0]["score"] == 0.9
