"""Points and lines stop, or are left out with a line that counts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError


def shape(kind: str, *points: tuple[float, float]) -> dict[str, Any]:
    return {"label": "cat", "shape_type": kind, "points": points}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A LabelMe data set of 4 boxes, 2 points and a line."""
    boxes = [shape("rectangle", (5, 5), (20 + n, 30)) for n in range(4)]
    others = [shape("point", (7, 7)), shape("point", (9, 9)), shape("line", (1, 1), (9, 9))]
    for name, shapes in (("a", [*boxes[:2], others[0]]), ("b", [*boxes[2:], *others[1:]])):
        Image.new("RGB", (60, 40)).save(tmp_path / f"{name}.png")
        document = {"version": "5", "imagePath": f"{name}.png", "imageHeight": 40, "imageWidth": 60}
        (tmp_path / f"{name}.json").write_text(json.dumps(document | {"shapes": shapes}))
    return tmp_path


def test_points_and_lines_stop(root: Path) -> None:
    with pytest.raises(LabelError, match=r"neither boxes nor outlines \(3\)") as raised:
        read_detection(root)
    assert "Or leave points, lines and the like out with --on-bad-boxes skip" in str(raised.value)


def test_points_and_lines_are_left_out_with_a_count(root: Path) -> None:
    dataset = read_detection(root, on_bad_boxes="skip")
    assert len(dataset.boxes) == 4
    (note,) = [note for note in dataset.notes if "neither boxes" in note]
    assert note.startswith("left out: 3 of 7 objects (43 %): shapes that are neither boxes nor outlines")
    assert "b.json" in note


def test_what_is_about_a_whole_file_still_stops(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    box = '<box label="cat" xtl="1" ytl="1" xbr="9" ybr="9"></box>'
    (tmp_path / "annotations.xml").write_text(
        f'<annotations><version>1.1</version><image id="0" name="a.png" width="60" height="40">{box}</image>'
        '<track id="0" label="cat"></track></annotations>'
    )
    with pytest.raises(LabelError, match="1 tracks of a video"):
        read_detection(tmp_path, on_bad_boxes="skip")
