import contextlib
import io
import json

import numpy as np
import pytest
import torch
from hotcoco import COCO as HotCOCO
from PIL import Image
from pycocotools.coco import COCO

from boxmask.errors import UsageError
from boxmask.results.coco import atomic_write, coco_json, save_coco, save_picture
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


def test_json_says_what_was_found():
    out = coco_json(PATHS, FOUND)
    assert out["images"][1] == {"id": 2, "file_name": "b/photo.jpg", "width": 20, "height": 10}
    assert out["categories"] == [{"id": 1, "name": "chat noir"}, {"id": 2, "name": "犬"}]
    assert [a["id"] for a in out["annotations"]] == [1, 2, 3]
    assert [a["image_id"] for a in out["annotations"]] == [1, 1, 3]
    first = out["annotations"][0]
    assert (first["category_id"], first["score"], first["iscrowd"]) == (2, 0.9, 0)
    assert first["bbox"] == pytest.approx([1.1, 2.2, 29.6, 48.1], abs=1e-5)
    assert first["area"] == pytest.approx(29.6 * 48.1, rel=1e-6)


def test_pycocotools_reads_it_as_labels_and_as_results(saved):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(saved))
        results = truth.loadRes(json.loads(saved.read_text(encoding="utf-8"))["annotations"])
    assert [image["file_name"] for image in truth.loadImgs(truth.getImgIds())] == PATHS
    for image_id, found in zip(truth.getImgIds(), FOUND, strict=True):
        entries = results.loadAnns(results.getAnnIds(image_id))
        boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        assert boxes == pytest.approx(found.boxes.numpy(), abs=1e-5)
        assert [np.float32(entry["score"]) for entry in entries] == found.scores.tolist()
        assert [truth.cats[entry["category_id"]]["name"] for entry in entries] == found.names


def test_hotcoco_reads_it(saved):
    assert len(HotCOCO(str(saved)).load_res(coco_json(PATHS, FOUND)["annotations"]).anns) == 3


def test_no_photos_give_an_empty_file():
    assert coco_json([], []) == {"images": [], "categories": [], "annotations": []}


def test_one_detections_for_each_path_and_the_same_classes():
    with pytest.raises(ValueError, match="for 3 photos, found them for 2"):
        coco_json(PATHS, FOUND[:2])
    other = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long(), ("dog",), (5, 5))
    with pytest.raises(ValueError, match="class names"):
        coco_json(PATHS, [*FOUND[:2], other])


@pytest.fixture
def picture():
    y, x = np.mgrid[0:40, 0:60].astype(np.uint8)
    return np.stack([x * 4, y * 6, x + y], axis=-1)


def test_png_is_exact_and_jpeg_is_near(picture, tmp_path):
    save_picture(picture, tmp_path / "deep" / "one.png")
    assert np.array_equal(np.array(Image.open(tmp_path / "deep" / "one.png")), picture)
    save_picture(picture, tmp_path / "one.JPG")
    again = np.array(Image.open(tmp_path / "one.JPG")).astype(int)
    assert np.abs(again - picture).mean() < 2


def test_other_endings_are_refused_before_anything_is_written(picture, tmp_path):
    with pytest.raises(UsageError, match=r'one\.xyz.*".xyz".*\.png'):
        save_picture(picture, tmp_path / "sub" / "one.xyz")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "found.json"
    path.write_text("old")

    def write_half_and_fail():
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half_and_fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_readable_like_any_other(picture, tmp_path):
    (tmp_path / "plain").write_text("")
    save_picture(picture, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
