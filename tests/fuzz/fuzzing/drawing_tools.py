"""Seeds of the formats of drawing tools: LabelMe, VIA and CVAT."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

import numpy as np
from PIL import Image

from fuzzing.inputs import Files

SIZE = (12, 16)  # height, width


def drawing_tool_seeds() -> dict[str, list[Files]]:
    """The seeds of each target."""
    return {
        "labelme-set": [_labelme(), _labelme_masks(), _labelme_embedded()],
        "via-set": [_via2(), _via1(), _via3(), _via_csv()],
        "cvat-set": [_cvat()],
    }


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _photos(*names: str) -> Files:
    return {name: _png(np.full((*SIZE, 3), 90, np.uint8)) for name in names}


def _text(content: object) -> bytes:
    return json.dumps(content, indent=1).encode()


# ---------------------------------------------------------------- LabelMe


def _shape(kind: str, points: list[list[float]], label: str = "cat", **fields: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **fields}


def _document(photo: str, shapes: list[Any], **fields: Any) -> bytes:
    size = {"imageHeight": SIZE[0], "imageWidth": SIZE[1]}
    content = {"version": "5.5.0", "flags": {"night": True}, "shapes": shapes, "imagePath": photo}
    return _text({**content, "imageData": None, **size, **fields})


def _labelme() -> Files:
    shapes = [
        _shape("rectangle", [[9, 7], [3, 2.5]], description="a", score=0.5),
        _shape("polygon", [[3, 2], [9, 2], [9, 7]], "dog", flags={"blurry": True}),
        _shape("circle", [[8, 6], [10, 7]]),
        _shape("rotation", [[4, 4], [8, 7], [5, 11], [1, 8]], direction=0.6, attributes={"color": "red"}),
    ]
    files = {"a.json": _document("a.png", shapes), "b.json": _document("..\\x\\b.png", shapes[:1])}
    return files | _photos("a.png", "b.png") | {"labels.txt": b"dog\ncat\n"}


def _labelme_masks() -> Files:
    mask = base64.b64encode(_png(np.eye(4, 5, dtype=bool))).decode()
    shapes = [
        _shape("mask", [[2, 3], [6, 6]], mask=mask),
        _shape("mask", [[2, 3], [6, 6]], mask=mask, group_id=1),
        _shape("polygon", [[8, 2], [12, 2], [12, 7]], group_id=1),
        _shape("rectangle", [[1, 1], [2, 2]], group_id=1),
    ]
    return {"a.json": _document("a.png", shapes, imageData=_photo_text()), **_photos("a.png")}


def _labelme_embedded() -> Files:
    shapes = [_shape("rectangle", [[1, 1], [2, 2]])]
    embedded = _document("b.png", shapes, imageData=_photo_text())
    return {"a.json": _document("a.png", shapes), "b.json": embedded, **_photos("a.png")}


def _photo_text() -> str:
    return base64.b64encode(_png(np.full((*SIZE, 3), 90, np.uint8))).decode()


# ---------------------------------------------------------------- VIA

_RECT = {"name": "rect", "x": 3, "y": 2, "width": 6.5, "height": 5}
_SHAPES = [
    _RECT,
    {"name": "polygon", "all_points_x": [3, 9, 9], "all_points_y": [2, 2, 7]},
    {"name": "circle", "cx": 8, "cy": 6, "r": 3.5},
    {"name": "ellipse", "cx": 8, "cy": 6, "rx": 4, "ry": 2, "theta": 0.5},
]


def _regions(shapes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    fields = {"class": "cat", "seen": {"left": True}, "color": "red"}
    return [{"shape_attributes": shape, "region_attributes": fields} for shape in shapes]


def _entries(regions: Any) -> dict[str, Any]:
    return {
        "a.png100": {"filename": "a.png", "size": 100, "regions": regions, "file_attributes": {"x": "y"}},
        "b.png100": {"filename": "b.png", "size": 100, "regions": [], "file_attributes": {}},
    }


def _via2() -> Files:
    options = {"type": "dropdown", "options": {"cat": "", "dog": ""}, "default_options": {}}
    project = {
        "_via_settings": {"core": {"default_filepath": ""}, "project": {"name": "p"}},
        "_via_img_metadata": _entries(_regions(_SHAPES)),
        "_via_attributes": {"region": {"class": options}, "file": {}},
    }
    return {"via.json": _text(project), **_photos("a.png", "b.png")}


def _via1() -> Files:
    regions = {str(number): region for number, region in enumerate(_regions(_SHAPES))}
    return {"via.json": _text(_entries(regions)), **_photos("a.png", "b.png")}


def _via3() -> Files:
    shapes = [
        [2, 3, 2, 6, 5],
        [7, 3, 2, 9, 2, 9, 7],
        [3, 8, 6, 3],
        [4, 8, 6, 4, 2],
        [8, 1, 2, 3, 4, 5, 6, 7, 8],
    ]
    metadata = {
        f"1_{number}": {"vid": "1", "flg": 0, "z": [], "xy": shape, "av": {"1": "0", "2": "x"}}
        for number, shape in enumerate(shapes)
    }
    attributes = {
        "1": {"aname": "class", "anchor_id": "FILE1_Z0_XY1", "type": 4, "options": {"0": "cat", "1": "dog"}},
        "2": {"aname": "note", "anchor_id": "FILE1_Z0_XY1", "type": 1, "options": {}},
    }
    project = {
        "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1"]},
        "attribute": attributes,
        "file": {"1": {"fid": "1", "fname": "a.png", "type": 2, "loc": 1, "src": "a.png"}},
        "metadata": {**metadata, "1_x": {"vid": "1", "flg": 0, "z": [], "xy": [], "av": {"2": "y"}}},
        "view": {"1": {"fid_list": ["1"]}},
    }
    return {"via.json": _text(project), **_photos("a.png")}


def _via_csv() -> Files:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    )
    writer.writerow(head.split(","))
    for number, region in enumerate(_regions(_SHAPES)):
        shape, fields = json.dumps(region["shape_attributes"]), json.dumps(region["region_attributes"])
        writer.writerow(["a.png", 100, "{}", 4, number, shape, fields])
    writer.writerow(["b.png", 100, "{}", 0, 0, "{}", "{}"])
    return {"via.csv": buffer.getvalue().encode(), **_photos("a.png", "b.png")}


# ---------------------------------------------------------------- CVAT


def _cvat() -> Files:
    text = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
<version>1.1</version>
<meta><task><labels>
<label><name>cat</name><color>#ff0000</color><type>any</type><attributes>
<attribute><name>wet</name><input_type>checkbox</input_type></attribute></attributes></label>
<label><name>dog</name></label>
</labels></task></meta>
<image id="0" name="a.png" subset="train" width="16" height="12">
<box label="cat" occluded="1" xtl="3.00" ytl="2.00" xbr="9.50" ybr="7.00" z_order="1" group_id="2">
<attribute name="wet">true</attribute></box>
<box label="dog" occluded="0" xtl="3.00" ytl="2.00" xbr="9.50" ybr="7.00" rotation="30.5"></box>
<polygon label="dog" points="3.00,2.00;9.00,2.00;9.00,7.00"></polygon>
<ellipse label="cat" cx="8.00" cy="6.00" rx="4.00" ry="2.00" rotation="10"></ellipse>
<mask label="cat" rle="1, 2, 3, 2" left="5" top="6" width="4" height="2"></mask>
<tag label="dog" source="manual"></tag>
</image>
<image id="1" name="b.png" width="16" height="12"></image>
</annotations>
"""
    return {"annotations.xml": text.encode(), **_photos("images/train/a.png", "images/b.png")}


# ---------------------------------------------------------------- bombs


def labelme_bomb(png: bytes, side: int) -> Files:
    """A mask whose PNG announces a square of this side, in a photo of that size."""
    mask = base64.b64encode(png).decode()
    shapes = [_shape("mask", [[0, 0], [side - 1, side - 1]], mask=mask)]
    size = {"imageHeight": side, "imageWidth": side}
    return {"a.json": _document("a.png", shapes, **size), **_photos("a.png")}


def cvat_bomb(side: int) -> Files:
    """A mask of one run over a square of this side, in a photo that claims to have that size."""
    mask = f'<mask label="cat" rle="0, {side * side}" left="0" top="0" width="{side}" height="{side}"/>'
    image = f'<image name="a.png" width="{side}" height="{side}">{mask}</image>'
    return {"annotations.xml": f"<annotations><meta/>{image}</annotations>".encode(), **_photos("a.png")}


def via_bomb(count: int) -> Files:
    """Regions in any number, none of which can be read, so that each has a line."""
    regions = [{"shape_attributes": {"name": "point"}, "region_attributes": {"class": "cat"}}] * count
    return {"via.json": _text(_entries(regions)), **_photos("a.png", "b.png")}
