"""Seeds of Label Studio's exports."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from PIL import Image

from boxmask.data.formats.label_studio.brush import encode_brush
from fuzzing.inputs import Files

SIZE = (12, 16)  # height, width


def label_studio_seeds() -> dict[str, list[Files]]:
    """The seeds of the target."""
    return {"label-studio-set": [_full(), _minimal(), _written()]}


def _photos(*names: str) -> Files:
    buffer = io.BytesIO()
    Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(buffer, "PNG")
    return {name: buffer.getvalue() for name in names}


def _text(content: object) -> bytes:
    return json.dumps(content, indent=1).encode()


def _result(kind: str, value: dict[str, Any], **fields: Any) -> dict[str, Any]:
    size = {"original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0}
    return {"id": f"r{len(value)}{kind}", "type": kind, "from_name": "l", "value": value, **size, **fields}


RECTANGLE = {"x": 10, "y": 20.5, "width": 40, "height": 30, "rotation": 0}


def _full() -> Files:
    mask = np.zeros(SIZE, dtype=bool)
    mask[3:7, 4:9] = True
    polygon = {"points": [[10, 10], [50, 10], [50.5, 60]], "closed": True, "polygonlabels": ["dog"]}
    ellipse = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 20, "rotation": 30, "ellipselabels": ["cat"]}
    results = [
        _result("rectanglelabels", RECTANGLE | {"rectanglelabels": ["cat"]}, meta={"text": ["a"]}),
        _result("rectanglelabels", RECTANGLE | {"rotation": 30, "rectanglelabels": ["dog"]}, score=0.5),
        _result("polygonlabels", polygon),
        _result("ellipselabels", ellipse),
        _result("brushlabels", {"format": "rle", "rle": encode_brush(mask), "brushlabels": ["cat"]}),
        _result("choices", {"choices": ["night"]}),
    ]
    annotation = {"id": 3, "was_cancelled": False, "ground_truth": True, "updated_at": "2024-01-09"}
    tasks = [
        {
            "id": 1,
            "annotations": [{**annotation, "result": results}, {"result": [], "was_cancelled": True}],
            "file_upload": "8f3a1b2c-a.png",
            "predictions": [{"result": []}],
            "data": {"image": "/data/upload/1/8f3a1b2c-a.png", "split": "train"},
        },
        {"id": 2, "annotations": [{"result": []}], "data": {"image": "/data/local-files/?d=x/b.png"}},
    ]
    return {"export.json": _text(tasks), **_photos("a.png", "b.png")}


def _minimal() -> Files:
    size = {"original_width": SIZE[1], "original_height": SIZE[0]}
    region = {**RECTANGLE, "rectanglelabels": ["cat"], **size}
    fields = {"annotator": 1, "annotation_id": 4, "updated_at": "2024-01-09"}
    items = [
        {"image": "s3://b/a.png", "id": 1, "label": [region, region | {"rotation": 9}], **fields},
        {"image": "b.png", "id": 2, "label": [region], "light": "night", **fields},
    ]
    return {"export.json": _text(items), **_photos("a.png", "b.png")}


def _written() -> Files:
    config = b'<View><Image name="image" value="$image"/><RectangleLabels name="r" toName="image">\n'
    config += b'<Label value="cat"/>\n<Label value="dog"/></RectangleLabels></View>\n'
    shape = _result("rectangle", RECTANGLE, id="a")
    labels = _result("labels", RECTANGLE | {"labels": ["dog"]}, id="a")
    mark = _result("choices", {"choices": ["true"]}, id="a", from_name="difficult")
    tasks = [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": [shape, labels, mark]}]}]
    return {"tasks.json": _text(tasks), "labeling-config.xml": config, **_photos("a.png", "b.png")}
