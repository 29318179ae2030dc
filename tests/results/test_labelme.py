import base64
import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from boxmask.results.labelme import labelme_json, save_labelme


def as_labelme_reads(shape: dict, size: tuple[int, int]) -> np.ndarray:
    """As labelme.utils.shapes_to_label does: the two points are pixels, both included."""
    full = np.zeros(size, bool)
    (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
    png = Image.open(io.BytesIO(base64.b64decode(shape["mask"])))
    full[y1 : y2 + 1, x1 : x2 + 1] = np.asarray(png).astype(bool)
    return full


def test_labelme_keeps_every_pixel(masked_detections):
    document = json.loads(json.dumps(labelme_json("a.jpg", masked_detections)))
    assert (document["imageHeight"], document["imageWidth"], document["imageData"], document["flags"]) == (
        60,
        80,
        None,
        {},
    )
    assert document["version"].split(".")[0] == "5"
    assert [shape["label"] for shape in document["shapes"]] == ["犬", "chat noir", "犬", "犬"]
    assert [shape["shape_type"] for shape in document["shapes"]] == ["mask", "mask", "rectangle", "mask"]
    for row in (0, 1, 3):
        assert np.array_equal(
            as_labelme_reads(document["shapes"][row], (60, 80)), masked_detections.masks.dense()[row]
        )
    box = document["shapes"][2]
    assert (box["points"], box["mask"], box["score"]) == ([[1.5, 2.25], [9.0, 8.0]], None, 0.7)
    assert all(shape["group_id"] is None and shape["flags"] == {} for shape in document["shapes"])


def test_labelme_has_the_path_of_the_photo_relative_to_the_file(masked_detections, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_labelme("photos/a.jpg", masked_detections, Path("out") / "labelme" / "a.json")
    document = json.loads((tmp_path / "out" / "labelme" / "a.json").read_text(encoding="utf-8"))
    assert document["imagePath"] == "../../photos/a.jpg"
    nothing = masked_detections[torch.zeros(0, dtype=torch.int64)]
    assert labelme_json("a.jpg", nothing)["shapes"] == []
