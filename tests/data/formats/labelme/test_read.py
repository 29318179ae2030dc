from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.detection.examine import examine
from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import labelme
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.outlines import Ellipse, Polygons, RotatedBox, fill
from boxmask.errors import LabelError
from boxmask.results.labelme import save_labelme
from boxmask.types import Detections


def shape(kind: str | None, points: list[list[float]], label: Any = "cat", **fields: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **fields}


def document(*shapes: Any, path: str | None = "a.jpg", **fields: Any) -> dict[str, Any]:
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": path,
        "imageData": None,
        "imageHeight": 40,
        "imageWidth": 60,
        **fields,
    }


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def write(tmp_path: Path, save_photo: Callable[..., None]) -> Callable[..., Path]:
    """Write {file: document} and photos; a document may be text."""

    def run(files: dict[str, Any], photos: tuple[str, ...] = ("a.jpg",)) -> Path:
        for photo in photos:
            save_photo(tmp_path / photo)
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return run


def read(root: Path) -> tuple[Labels, list[str]]:
    """Labels, and the findings as "id: text"."""
    findings, source = Findings(), find_source(root)
    labels = labelme.read(source, labelme.recognize(source), findings)
    return labels, [f"{finding.kind.id}: {finding}" for finding in findings]


# ---------------------------------------------------------------- shapes


def test_rectangles_are_boxes_with_corners_in_any_order(write: Callable[..., Path]) -> None:
    four = [[1, 2], [9.5, 2], [9.5, 7], [1, 7]]
    shapes = [shape("rectangle", [[9.5, 7], [1, 2]]), shape("rectangle", four)]
    labels, found = read(write({"a.json": document(*shapes)}))
    assert labels.boxes.tolist() == [[1, 2, 9.5, 7]] * 2
    assert labels.outline is None
    assert not found


def test_polygons_circles_and_rotated_boxes(write: Callable[..., Path]) -> None:
    corners = [[10, 10], [14, 13], [11, 17], [7, 14]]
    shapes = [
        shape(None, [[1, 1], [9, 1], [9, 9]]),
        shape("circle", [[20, 20], [23, 24]]),
        shape("rotation", corners, direction=0.6),
        shape("oriented_rectangle", corners),
        shape("rectangle", corners),
        shape("rotation", [[1, 1], [9, 2], [9, 9], [1, 9]]),
    ]
    labels, found = read(write({"a.json": document(*shapes)}))
    assert not found
    outlines = [labels.outline(row) for row in range(6)]
    assert isinstance(outlines[0], Polygons)
    assert outlines[1] == Ellipse((20, 20), (5, 5))
    for outline in outlines[2:5]:
        assert isinstance(outline, RotatedBox)
        assert outline.size == pytest.approx((5, 5))
        assert outline.rotation == pytest.approx(np.degrees(np.arctan2(3, 4)))
        assert np.allclose(outline.polygons().parts[0], corners)
    assert isinstance(outlines[5], Polygons)  # not the corners of a box
    assert np.isnan(labels.boxes).all()


def test_a_mask_covers_the_pixels_between_its_points(write: Callable[..., Path]) -> None:
    pixels = np.zeros((3, 4), dtype=bool)
    pixels[0, 1:] = pixels[2] = True
    shapes = [shape("mask", [[5, 7], [8, 9]], mask=png(pixels)), shape("mask", [[57, 38], [60, 40]])]
    shapes[1]["mask"] = png(pixels)  # reaches beyond the photo
    root = write({"a.json": document(*shapes)})
    labels, _ = read(root)
    dataset = read_detection(root)
    dense = dataset.masks(0).dense()
    expected = np.zeros((40, 60), dtype=bool)
    expected[7:10, 5:9] = pixels
    assert np.array_equal(dense[0], expected)
    assert dataset.boxes[0].tolist() == [5, 7, 9, 10]
    assert fill(labels.outline(1), (40, 60), (40, 60))[1::2].sum() == pixels[:2, :3].sum()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (None, "expected the mask as a PNG in base64, found None"),
        ("?", "a mask that is no base64"),
        ("aGVsbG8=", "this file is not an image"),
        (png(np.zeros((5, 4), dtype=bool)), "its mask has 4 × 5 pixels, its two points span 4 × 3"),
    ],
)
def test_masks_that_cannot_be_read(write: Callable[..., Path], mask: object, message: str) -> None:
    labels, _ = read(write({"a.json": document(shape("mask", [[5, 7], [8, 9]], mask=mask))}))
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        labels.outline(0)


def test_a_small_mask_that_announces_a_huge_image_is_not_decoded(write: Callable[..., Path]) -> None:
    huge = bytearray(base64.b64decode(png(np.zeros((3, 4), dtype=bool))))
    huge[16:24] = (20_000).to_bytes(4, "big") * 2
    mask = base64.b64encode(bytes(huge)).decode()
    labels, _ = read(write({"a.json": document(shape("mask", [[0, 0], [19_999, 19_999]], mask=mask))}))
    with pytest.raises(ValueError, match=r"cannot be decoded|pixels"):
        labels.outline(0)


@pytest.mark.parametrize("kind", ["point", "points", "line", "linestrip", "cuboid", "ellipse"])
def test_other_shapes_are_refused_by_name_and_line(write: Callable[..., Path], kind: str) -> None:
    root = write({"a.json": document(shape("polygon", [[1, 1], [9, 1], [9, 9]]), shape(kind, [[1, 1]]))})
    labels, found = read(root)
    assert len(labels.photo_of) == 1
    line = (root / "a.json").read_text().splitlines().index('   "shape_type": "polygon",') + 1
    assert found == [
        f'shape-unsupported: {root / "a.json"}:{line + 4}: shapes[1]: "cat" has the shape type {kind}'
    ]
    with pytest.raises(
        LabelError, match=rf'(?s)Shapes that are neither boxes nor outlines.*"cat" has the shape type {kind}'
    ):
        read_detection(root)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "expected an object with label and points, found 3"),
        (shape("polygon", [[1, 1], [9, 1], [9, 9]], label=None), "expected the class as text in label"),
        (shape("polygon", []), "expected points as"),
        (shape("polygon", [[1, 2, 3]]), "expected each point as"),
        (shape("polygon", [["1", 2]]), "expected each point as"),
        (shape("rectangle", [[1, 1]]), "a rectangle needs two or four points, found 1"),
        (shape("circle", [[1, 1]]), "a circle needs two points, its center and one on it; found 1"),
        (shape("rotation", [[1, 1], [2, 2]]), "a rotated box needs four points, found 2"),
        (shape("polygon", [[1, 1]], group_id="x"), "expected group_id as a whole number or null, found x"),
    ],
)
def test_entries_that_cannot_be_read(write: Callable[..., Path], entry: object, message: str) -> None:
    labels, found = read(write({"a.json": document(entry)}))
    assert len(labels.photos) == 1
    assert len(found) == 1
    assert found[0].startswith("entry-unreadable")
    assert message in found[0]


def test_a_polygon_of_two_points_is_reported_with_the_outlines(write: Callable[..., Path]) -> None:
    labels, found = read(write({"a.json": document(shape("polygon", [[1, 1], [9, 5]]))}))
    assert not found
    assert np.isnan(labels.boxes).all()  # no box is invented
    with pytest.raises(ValueError, match="a polygon of 2 points; it needs at least 3"):
        labels.outline(0)


def test_an_object_with_a_polygon_of_two_points_is_left_out(write: Callable[..., Path]) -> None:
    triangle = shape("polygon", [[1, 1], [9, 1], [9, 9]])
    root = write({"a.json": document(shape("polygon", [[1, 1], [9, 5]]), triangle)})
    findings = Findings()
    examine(root, findings)
    assert {finding.kind.id: finding.box for finding in findings} == {
        "outline-few-points": (1, 1, 9, 5),
        "box-empty": None,
    }
    with pytest.raises(LabelError, match="a polygon of 2 points; it needs at least 3"):
        read_detection(root)
    assert len(read_detection(root, on_bad_boxes="skip").boxes) == 1


# ---------------------------------------------------------------- groups and attributes


def test_shapes_of_one_label_and_group_are_one_object(write: Callable[..., Path]) -> None:
    triangle = [[1, 1], [9, 1], [9, 9]]
    shapes = [
        shape("polygon", triangle, group_id=1, description="left"),
        shape("polygon", triangle, group_id=1, label="dog"),
        shape("polygon", [[20, 1], [29, 1], [29, 9]], group_id=1),
        shape("polygon", triangle),
        shape("polygon", triangle),
    ]
    labels, found = read(write({"a.json": document(*shapes)}))
    assert [labels.class_names[label] for label in labels.labels] == ["cat", "dog", "cat", "cat"]
    assert len(labels.outline(0).parts) == 2
    assert labels.attributes.objects == {0: {"description": "left"}, 1: {"group": 1}}
    assert not found


def test_a_mask_and_a_box_of_one_group_are_united_and_noted(write: Callable[..., Path]) -> None:
    mask = shape("mask", [[0, 0], [1, 1]], mask=png(np.ones((2, 2), dtype=bool)), group_id=3)
    boxes = [shape("rectangle", [[x, 10], [x + 5, 15]], group_id=3) for x in (10, 12)]
    labels, found = read(write({"a.json": document(mask, *boxes)}))
    assert labels.outline(0).counts[1::2].sum() == 4 + 35
    assert [text.partition(":")[0] for text in found] == ["shapes-joined"]
    assert found[0].endswith('"cat" with group id 3: 3 shapes')


def test_flags_and_other_fields_are_attributes(write: Callable[..., Path]) -> None:
    fields = {"description": "d", "score": 0.5, "difficult": True, "flags": {"blurry": True, "cut": False}}
    labeled = shape("rectangle", [[1, 1], [9, 9]], attributes={"color": "red"}, kie_linking=[], **fields)
    labels, _ = read(write({"a.json": document(labeled, flags={"night": True}, lineColor=[0, 0, 0])}))
    expected = {"color": "red", "blurry": True, "cut": False, "description": "d", "score": 0.5}
    assert labels.attributes.objects == {0: expected}
    assert labels.attributes.photos == {0: {"night": True}}
    assert labels.difficult.tolist() == [True]


def test_listed_classes_come_first(write: Callable[..., Path]) -> None:
    box = [[1, 1], [9, 9]]
    files = {"a.json": document(shape("rectangle", box, label="ant"), shape("rectangle", box))}
    labels, _ = read(write({**files, "labels.txt": "__ignore__\n_background_\ndog\ncat\n"}))
    assert labels.class_names == ("dog", "cat", "ant")


# ---------------------------------------------------------------- photos


@pytest.mark.parametrize(
    "path", ["a.jpg", "C:\\Users\\x\\data\\a.jpg", "/home/x/other/a.jpg", "..\\photos\\a.jpg", "a%2ejpg"]
)
def test_the_photo_is_found_by_its_path_on_any_machine(write: Callable[..., Path], path: str) -> None:
    labels, found = read(write({"labels/a.json": document(path=path)}, ("photos/a.jpg",)))
    assert [photo.file for photo in labels.photos] == ["photos/a.jpg"]
    assert [photo.missing_name for photo in labels.photos] == [""]
    assert {text.partition(":")[0] for text in found} <= {
        "path-elsewhere" if "folders" in "".join(found) else "name-inexact"
    }


def test_paths_do_not_leave_the_data_set(write: Callable[..., Path], tmp_path: Path) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "secret.jpg")
    for path in ("../secret.jpg", str(tmp_path / "secret.jpg"), "../../../etc/passwd"):
        root = write({"set/b.json": document(path=path)}, ()) / "set"
        labels, _ = read(root)
        assert labels.photos[0].missing_name == path
        assert not labels.photos[0].file.startswith(("/", ".."))


def test_a_stale_path_gives_way_to_the_own_name(write: Callable[..., Path]) -> None:
    labels, found = read(write({"b.json": document(path="renamed.jpg")}, ("b.jpg",)))
    assert labels.photos[0].file == "b.jpg"
    assert len(found) == 1
    assert "renamed.jpg is not used; the photo with the label file's own name is b.jpg" in found[0]


def test_a_copied_label_file_belongs_to_the_photo_of_its_name(write: Callable[..., Path]) -> None:
    files = {"a.json": document(path="a.jpg"), "b.json": document(path="a.jpg")}
    labels, found = read(write(files, ("a.jpg", "b.jpg")))
    assert [photo.file for photo in labels.photos] == ["a.jpg", "b.jpg"]
    assert [text.partition(":")[0] for text in found] == ["name-inexact"]


def test_two_label_files_of_one_photo(write: Callable[..., Path]) -> None:
    files = {"a.json": document(path="a.jpg"), "copy/a.json": document(path="../a.jpg")}
    _, found = read(write(files))
    assert [text.partition(":")[0] for text in found] == ["photo-listed-twice"]
    assert found[0].endswith("copy/a.json: a.jpg, also in a.json")


def test_splits_come_from_folders(write: Callable[..., Path]) -> None:
    files = {f"{split}/a.json": document(path="a.jpg") for split in ("train", "valid")}
    labels, _ = read(write(files, ("train/a.jpg", "valid/a.jpg")))
    assert [photo.split for photo in labels.photos] == ["train", "val"]


def test_the_photo_is_measured_if_its_size_is_not_declared(write: Callable[..., Path]) -> None:
    mask = shape("mask", [[0, 0], [1, 1]], mask=png(np.ones((2, 2), dtype=bool)))
    content = document(mask, imageHeight=None)
    labels, _ = read(write({"a.json": content}))
    assert labels.photos[0].declared_size is None
    assert labels.outline(0).size == (40, 60)


# ---------------------------------------------------------------- files


def test_files_that_cannot_be_read(write: Callable[..., Path]) -> None:
    broken = '{"version": "5", "shapes": [\n{"label": "a",]}'
    files = {"a.json": document(), "b.json": broken, "c.json": '{"shapes": {}}'}
    root = write(files, ("a.jpg", "b.jpg"))
    labels, found = read(root)
    assert len(labels.photos) == 1
    assert found[0].startswith(f"file-unreadable: {root / 'b.json'}:2: column 15: broken JSON")
    assert found[1].startswith(f"file-unused: {root / 'c.json'}")


def test_other_json_files_are_not_claimed(write: Callable[..., Path]) -> None:
    coco = {"images": [], "annotations": [], "categories": []}
    root = write({"a.json": document(), "instances.json": coco, "package.json": {"version": "1"}})
    assert labelme.recognize(find_source(root)) == ["a.json"]


def test_large_image_data_before_the_shapes(write: Callable[..., Path]) -> None:
    content = {"imageData": "A" * 5000, **document(shape("rectangle", [[1, 1], [9, 9]]))}
    content["imageData"] = "A" * 5000
    dataset = read_detection(write({"a.json": content}))
    assert dataset.boxes.tolist() == [[1, 1, 9, 9]]


def test_many_files_are_recognized_by_a_sample(write: Callable[..., Path]) -> None:
    root = write({"a.json": document(shape("rectangle", [[1, 1], [9, 9]]))})
    for number in range(2100):
        (root / f"{number}.json").write_text('{"version": "5", "shapes": [], "imagePath": "x.jpg"}')
    assert len(labelme.recognize(find_source(root))) == 2101


def test_predictions_are_labels_once_they_are_corrected(
    tmp_path: Path, save_photo: Callable[..., None]
) -> None:
    for name in "ab":
        save_photo(tmp_path / f"{name}.jpg")
        box, score, label = torch.tensor([[1.5, 2, 20, 25]]), torch.tensor([0.5]), torch.tensor([0])
        found = Detections(box, score, label, ("cat",), (40, 60))
        save_labelme(tmp_path / f"{name}.jpg", found, tmp_path / "predictions" / f"{name}.json")
    with pytest.raises(LabelError, match="no labels found"):
        read_detection(tmp_path)
    path = tmp_path / "predictions" / "b.json"
    corrected = json.loads(path.read_text())
    corrected["shapes"][0]["label"] = "dog"
    path.write_text(json.dumps(corrected))
    dataset = read_detection(tmp_path)
    assert dataset.files.tolist() == ["b.jpg"]
    assert dataset.boxes.tolist() == [[1.5, 2, 20, 25]]
    assert dataset.class_names == ("dog",)
