import contextlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hotcoco import COCO as HotCOCO
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from boxmask.results.coco import coco_json, save_coco
from boxmask.types import Detections

NAMES = ("chat noir", "犬")


def detections(*rows, size=(60, 80)):
    """From (x1, y1, x2, y2, score, label)."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].long(), NAMES, size)


FOUND = [
    detections((1.1, 2.2, 30.7, 50.3, 0.9, 1), (0, 0, 80, 60, 0.25, 0)),
    detections(size=(10, 20)),
    detections((3, 4, 5, 6, 1 / 3, 0)),
]
PATHS = ["a/photo.jpg", "b/photo.jpg", "c.png"]


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "new folder" / "found.json"
    save_coco(PATHS, FOUND, path)
    return path


def test_json_holds_the_detections():
    out = coco_json(PATHS, FOUND)
    assert out["images"][1] == {"id": 2, "file_name": "b/photo.jpg", "width": 20, "height": 10}
    assert out["categories"] == [{"id": 1, "name": "chat noir"}, {"id": 2, "name": "犬"}]
    assert [a["id"] for a in out["annotations"]] == [1, 2, 3]
    assert [a["image_id"] for a in out["annotations"]] == [1, 1, 3]
    first = out["annotations"][0]
    assert (first["category_id"], first["score"], first["iscrowd"]) == (2, 0.9, 0)
    assert first["bbox"] == pytest.approx([1.1, 2.2, 29.6, 48.1], abs=1e-5)
    assert first["area"] == pytest.approx(29.6 * 48.1, rel=1e-6)


def test_pycocotools_reads_labels_and_results(saved):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(saved))
        results = truth.loadRes(json.loads(saved.read_text(encoding="utf-8"))["annotations"])
    assert [image["file_name"] for image in truth.loadImgs(truth.getImgIds())] == PATHS
    for image_id, found in zip(truth.getImgIds(), FOUND, strict=True):
        entries = results.loadAnns(results.getAnnIds(image_id))
        boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        assert boxes == pytest.approx(found.boxes, abs=1e-5)
        assert [np.float32(entry["score"]) for entry in entries] == found.scores.tolist()
        assert [truth.cats[entry["category_id"]]["name"] for entry in entries] == found.names


def test_hotcoco_reads_it(saved):
    assert len(HotCOCO(str(saved)).load_res(coco_json(PATHS, FOUND)["annotations"]).anns) == 3


def test_no_photos_give_an_empty_file():
    assert coco_json([], []) == {"images": [], "categories": [], "annotations": []}


def test_wrong_number_of_detections_and_different_classes_are_refused():
    with pytest.raises(ValueError, match=r"expected one per photo \(3\), found 2"):
        coco_json(PATHS, FOUND[:2])
    other = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long(), ("dog",), (5, 5))
    with pytest.raises(ValueError, match="class names"):
        coco_json(PATHS, [*FOUND[:2], other])


def test_coco_keeps_every_pixel_of_masks(masked_detections, tmp_path):
    save_coco(["a.jpg"], [masked_detections], tmp_path / "found.json")
    written = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["annotations"]
    for row in (0, 1, 3):
        assert written[row]["segmentation"]["size"] == [60, 80]
        assert isinstance(written[row]["segmentation"]["counts"], str)
        assert np.array_equal(
            coco_mask.decode(written[row]["segmentation"]), masked_detections.masks.dense()[row]
        )
        assert written[row]["area"] == masked_detections.masks.areas()[row]
    assert "segmentation" not in written[2]
    assert written[2]["area"] == 7.5 * 5.75
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / "found.json"))
    assert np.array_equal(truth.annToMask(truth.anns[2]), masked_detections.masks.dense()[1])


def test_boxes_alone_have_no_segmentation(masked_detections):
    boxes = coco_json(["a.jpg"], [replace(masked_detections, masks=None)])["annotations"]
    assert set(boxes[0]) == {"id", "image_id", "category_id", "bbox", "area", "score", "iscrowd"}
    assert boxes[0]["area"] == 900.0
