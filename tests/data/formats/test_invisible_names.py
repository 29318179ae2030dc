"""A class name of invisible characters is no name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from boxmask.doctor.check import check_data

NAME = "\ufeff"
BOX = {"x": 10, "y": 10, "width": 8, "height": 8}
LABELS = {
    "annotations.xml": f'<annotations><version>1.1</version><image id="0" name="a.png" width="40" '
    f'height="30"><box label="{NAME}" occluded="0" xtl="3" ytl="2" xbr="9" ybr="7"></box></image>'
    "</annotations>",
    "a.json": json.dumps(
        {
            "version": "5.5.0",
            "shapes": [{"label": NAME, "points": [[3, 2], [9, 7]], "shape_type": "rectangle"}],
            "imagePath": "a.png",
            "imageData": None,
            "imageHeight": 30,
            "imageWidth": 40,
        }
    ),
    "_annotations.createml.json": json.dumps(
        [{"image": "a.png", "annotations": [{"label": NAME, "coordinates": BOX}]}]
    ),
}


@pytest.mark.parametrize("file", LABELS)
def test_a_class_without_visible_characters(tmp_path: Path, file: str) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / file).write_text(LABELS[file], encoding="utf-8")
    assert [finding.kind.id for finding in check_data(tmp_path, labels_only=True)][:1] == ["entry-unreadable"]
