"""What is saved of masks says the same when it is read back."""

import base64
import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from boxmask.errors import UsageError
from boxmask.masks import Masks
from boxmask.results.coco import coco_json, save_coco
from boxmask.results.label_maps import (
    instance_labels,
    save_class_labels,
    save_classes,
    save_instance_labels,
)
from boxmask.results.labelme import labelme_json, save_labelme
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.style import PALETTE, class_colors


def test_coco_holds_the_very_pixels(outlined, tmp_path):
    save_coco(["a.jpg"], [outlined], tmp_path / "found.json")
    written = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["annotations"]
    for row in (0, 1, 3):
        assert written[row]["segmentation"]["size"] == [60, 80]
        assert isinstance(written[row]["segmentation"]["counts"], str)
        assert np.array_equal(coco_mask.decode(written[row]["segmentation"]), outlined.masks.dense()[row])
        assert written[row]["area"] == outlined.masks.areas()[row]
    assert "segmentation" not in written[2]
    assert written[2]["area"] == 7.5 * 5.75
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / "found.json"))
    assert np.array_equal(truth.annToMask(truth.anns[2]), outlined.masks.dense()[1])


def test_coco_of_boxes_is_as_it_was(outlined):
    boxes = coco_json(["a.jpg"], [replace(outlined, masks=None)])["annotations"]
    assert set(boxes[0]) == {"id", "image_id", "category_id", "bbox", "area", "score", "iscrowd"}
    assert boxes[0]["area"] == 900.0


def as_labelme_reads(shape: dict, size: tuple[int, int]) -> np.ndarray:
    """labelme.utils.shapes_to_label's way: the two points are pixels, both within."""
    full = np.zeros(size, bool)
    (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
    png = Image.open(io.BytesIO(base64.b64decode(shape["mask"])))
    full[y1 : y2 + 1, x1 : x2 + 1] = np.asarray(png).astype(bool)
    return full


def test_labelme_holds_the_very_pixels(outlined):
    said = json.loads(json.dumps(labelme_json("a.jpg", outlined)))
    assert (said["imageHeight"], said["imageWidth"], said["imageData"], said["flags"]) == (60, 80, None, {})
    assert said["version"].split(".")[0] == "5"
    assert [shape["label"] for shape in said["shapes"]] == ["犬", "chat noir", "犬", "犬"]
    assert [shape["shape_type"] for shape in said["shapes"]] == ["mask", "mask", "rectangle", "mask"]
    for row in (0, 1, 3):
        assert np.array_equal(as_labelme_reads(said["shapes"][row], (60, 80)), outlined.masks.dense()[row])
    box = said["shapes"][2]
    assert (box["points"], box["mask"], box["score"]) == ([[1.5, 2.25], [9.0, 8.0]], None, 0.7)
    assert all(shape["group_id"] is None and shape["flags"] == {} for shape in said["shapes"])


def test_labelme_names_the_photo_as_seen_from_the_file(outlined, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_labelme("photos/a.jpg", outlined, Path("out") / "labelme" / "a.json")
    said = json.loads((tmp_path / "out" / "labelme" / "a.json").read_text(encoding="utf-8"))
    assert said["imagePath"] == "../../photos/a.jpg"
    nothing = outlined.rows(torch.zeros(0, dtype=torch.int64))
    assert labelme_json("a.jpg", nothing)["shapes"] == []


def test_instances_are_numbered_with_the_surest_on_top(outlined, tmp_path):
    save_instance_labels(outlined, tmp_path / "labels" / "a.png")
    image = Image.open(tmp_path / "labels" / "a.png")
    numbers = np.asarray(image)
    assert image.mode.startswith("I;16")
    dense = outlined.masks.dense()
    assert np.array_equal(numbers == 1, dense[0])
    assert np.array_equal(numbers == 2, dense[1] & ~dense[0])
    assert (dense[0] & dense[1]).any()
    assert not (numbers == 3).any()  # of which only the box is known
    assert numbers[59, 79] == 4
    assert set(np.unique(numbers)) == {0, 1, 2, 4}


def test_what_label_images_cannot_hold_is_refused(outlined):
    with pytest.raises(UsageError, match=r"finds boxes.*coco or labelme"):
        instance_labels(replace(outlined, masks=None))
    n = 70_000
    many = Detections(
        torch.ones(n, 4) * torch.tensor([0.0, 0, 1, 1]), torch.ones(n), torch.zeros(n).long(), ("a",), (1, 1),
        Masks.from_dense(np.ones((n, 1, 1), bool)),
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"70000 objects.*65535.*--min-score"):
        instance_labels(many)
    many = many.rows(torch.arange(300))
    assert instance_labels(many).tolist() == [[1]]


@pytest.mark.parametrize("count", [1, 12, 13, 255])
def test_classes_are_read_back_by_number_and_by_color(count, tmp_path):
    names = tuple(f"class {i}" for i in range(count))
    labels = np.random.default_rng(0).integers(0, count, (20, 30)).astype(np.uint8)
    found = SegmentationMap(torch.from_numpy(labels), names)
    save_class_labels(found, tmp_path / "a.png")
    save_classes(names, tmp_path / "classes.txt")
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), labels)
    lines = (tmp_path / "classes.txt").read_text(encoding="utf-8").splitlines()
    colors = {tuple(bytes.fromhex(line.rpartition(" ")[2])): i for i, line in enumerate(lines)}
    assert [line.rpartition(" ")[0] for line in lines] == list(names)
    assert len(colors) == count
    pixels = np.asarray(image.convert("RGB"))
    assert [[colors[tuple(pixel)] for pixel in row] for row in pixels.tolist()] == labels.tolist()


def test_the_background_is_black_and_a_name_must_fit_its_line(tmp_path):
    assert class_colors(("sky", "Background", "road")) == [PALETTE[0], "#000000", PALETTE[1]]
    assert len(set(class_colors(("background", "Background", "_background_")))) == 3
    for name in ("two\nlines", "", " blank ", "cup, bowl"):
        with pytest.raises(UsageError, match="cannot stand in a line"):
            save_classes(("sky", name), tmp_path / "classes.txt")
    assert list(tmp_path.iterdir()) == []
