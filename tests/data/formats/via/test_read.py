from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import via
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.formats.via.csv_file import HEADER
from boxmask.data.outlines import Ellipse
from boxmask.errors import LabelError

RECT = {"name": "rect", "x": 1, "y": 2, "width": 8.5, "height": 5}
POLYGON = {"name": "polygon", "all_points_x": [1, 9, 9], "all_points_y": [1, 1, 9.5]}


def region(shape: Any, **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def image(name: str, regions: Any, **attributes: Any) -> dict[str, Any]:
    return {f"{name}10": {"filename": name, "size": 10, "regions": regions, "file_attributes": attributes}}


def project(images: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {
        "_via_settings": {"core": {"default_filepath": ""}},
        "_via_img_metadata": images,
        "_via_attributes": {"region": attributes, "file": {}},
        "_via_data_format_version": "2.0.10",
    }


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
    labels = via.read(source, via.recognize(source), findings)
    return labels, [f"{finding.kind.id}: {finding}" for finding in findings]


# ---------------------------------------------------------------- files and shapes


@pytest.mark.parametrize("as_project", [True, False])
@pytest.mark.parametrize("as_list", [True, False])
def test_shapes(write: Callable[..., Path], as_project: bool, as_list: bool) -> None:
    shapes = [
        RECT,
        POLYGON,
        {"name": "circle", "cx": 5, "cy": 6, "r": 2.5},
        {"name": "ellipse", "cx": 5, "cy": 6, "rx": 4, "ry": 2, "theta": 0.5},
        {"name": "ellipse", "cx": 5, "cy": 6, "rx": 4, "ry": 2},
    ]
    regions: Any = [region(shape, kind="cat") for shape in shapes]
    if not as_list:
        regions = {str(number): entry for number, entry in enumerate(regions)}
    images = image("a.jpg", regions, weather="rain") | image("b.jpg", [])
    root = write({"via.json": project(images) if as_project else images}, ("a.jpg", "b.jpg"))
    labels, found = read(root)
    assert not found
    assert [photo.file for photo in labels.photos] == ["a.jpg", "b.jpg"]
    assert labels.class_names == ("cat",)
    assert labels.boxes[0].tolist() == [1, 2, 9.5, 7]
    assert labels.outline is not None
    assert labels.outline(1).parts[0].tolist() == [[1, 1], [9, 1], [9, 9.5]]
    assert labels.outline(2) == Ellipse((5, 6), (2.5, 2.5))
    assert labels.outline(3) == Ellipse((5, 6), (4, 2), pytest.approx(28.6479, abs=1e-4))
    assert labels.outline(4) == Ellipse((5, 6), (4, 2))
    assert labels.attributes.photos == {0: {"weather": "rain"}}
    assert len(read_detection(root).boxes) == 5


def test_csv(write: Callable[..., Path]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    for number, shape in enumerate([RECT, POLYGON]):
        writer.writerow(["a.jpg", 10, "{}", 2, number, json.dumps(shape), '{"name":"cat"}'])
    writer.writerow(["b.jpg", 10, '{"weather":"rain"}', 0, 0, "{}", "{}"])
    writer.writerow(["b.jpg", 10, "{}", 1, 0, '{"name":"point","cx":1,"cy":1}', '{"name":"cat"}'])
    writer.writerow(["b.jpg", 10, "{}", 1, 0, "{", "{}"])
    root = write({"via.csv": buffer.getvalue()}, ("a.jpg", "b.jpg"))
    labels, found = read(root)
    assert [photo.file for photo in labels.photos] == ["a.jpg", "b.jpg"]
    assert labels.boxes[0].tolist() == [1, 2, 9.5, 7]
    assert labels.attributes.photos == {1: {"weather": "rain"}}
    assert str(labels.location(1)) == f"{root / 'via.csv'}:3"
    assert found[0].startswith(f"entry-unreadable: {root / 'via.csv'}:6: the column region_shape_attributes")
    assert found[1] == f"shape-unsupported: {root / 'via.csv'}:5: a region of the shape point"


VERSION_3: dict[str, Any] = {
    "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1", "2"]},
    "config": {"file": {"loc_prefix": {"1": ""}}},
    "attribute": {
        "1": {"aname": "class", "anchor_id": "FILE1_Z0_XY1", "type": 4, "options": {"0": "cat", "1": "dog"}},
        "2": {"aname": "weather", "anchor_id": "FILE1_Z0_XY0", "type": 1, "options": {}},
    },
    "file": {
        "1": {"fid": "1", "fname": "a.jpg", "type": 2, "loc": 1, "src": "a.jpg"},
        "2": {"fid": "2", "fname": "b.jpg", "type": 2, "loc": 1, "src": ""},
        "3": {"fid": "3", "fname": "c.mp4", "type": 4, "loc": 1, "src": "c.mp4"},
    },
    "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": [2]}, "3": {"fid_list": ["3"]}},
    "metadata": {
        "1_a": {"vid": "1", "flg": 0, "z": [], "xy": [2, 1, 2, 8.5, 5], "av": {"1": "1"}},
        "1_b": {"vid": "1", "flg": 0, "z": [], "xy": [7, 1, 1, 9, 1, 9, 9.5], "av": {"1": "0"}},
        "1_c": {"vid": "1", "flg": 0, "z": [], "xy": [3, 5, 6, 2.5], "av": {"1": "0"}},
        "1_d": {"vid": "1", "flg": 0, "z": [], "xy": [4, 5, 6, 4, 2], "av": {"1": "0"}},
        "1_e": {"vid": "1", "flg": 0, "z": [], "xy": [8, 5, 1, 9, 4, 5, 8, 2, 4], "av": {"1": "0"}},
        "1_f": {"vid": "1", "flg": 0, "z": [], "xy": [6, 1, 1, 2, 2], "av": {"1": "0"}},
        "1_g": {"vid": "1", "flg": 0, "z": [], "xy": [], "av": {"2": "rain"}},
        "3_a": {"vid": "3", "flg": 0, "z": [1.5], "xy": [2, 1, 1, 5, 5], "av": {"1": "0"}},
    },
}


def test_version_3(write: Callable[..., Path]) -> None:
    root = write({"via.json": VERSION_3}, ("a.jpg", "b.jpg"))
    labels, found = read(root)
    assert [photo.file for photo in labels.photos] == ["a.jpg", "b.jpg"]
    assert labels.class_names == ("cat", "dog")
    assert labels.labels.tolist() == [1, 0, 0, 0, 0]
    assert labels.boxes[[0, 4]].tolist() == [[1, 2, 9.5, 7], [2, 1, 9, 8]]
    assert labels.outline is not None
    assert labels.outline(1).parts[0].tolist() == [[1, 1], [9, 1], [9, 9.5]]
    assert labels.outline(2) == Ellipse((5, 6), (2.5, 2.5))
    assert labels.outline(3) == Ellipse((5, 6), (4, 2))
    assert labels.attributes.photos == {0: {"weather": "rain"}}
    path = root / "via.json"
    lines = path.read_text().splitlines()
    view, metadata = lines.index('  "3": {', lines.index(' "view": {')), lines.index('  "1_f": {')
    assert found == [
        f'entry-unreadable: {path}:{view + 1}: view "3": a video or sound. Save the frames as photos, and '
        "label these.",
        f"shape-unsupported: {path}:{metadata + 1}: metadata[5]: a region of the shape polyline",
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            region({"name": "point", "cx": 1, "cy": 1}, c="x"),
            "shape-unsupported: {}: a region of the shape point",
        ),
        (region({"name": "polyline"}, c="x"), "shape-unsupported: {}: a region of the shape polyline"),
        (region({}, c="x"), "entry-unreadable: {}: expected shape_attributes with a name"),
        (region({"name": "rect", "x": "1"}, c="x"), "entry-unreadable: {}: a rect needs a number x, found 1"),
        (region({**POLYGON, "all_points_x": [1]}, c="x"), "entry-unreadable: {}: a polygon of 1 x and 3 y"),
        (region(RECT), "entry-unreadable: {}: a region without a class in the attribute c"),
        (
            region(RECT, c={"a": True, "b": True}),
            "entry-unreadable: {}: expected one choice in the attribute c",
        ),
        (3, "entry-unreadable: {}: expected shape_attributes with a name, found 3"),
    ],
)
def test_regions_that_cannot_be_read(write: Callable[..., Path], entry: object, message: str) -> None:
    root = write({"via.json": project(image("a.jpg", [region(RECT, c="x"), entry]))})
    labels, found = read(root)
    assert len(labels.photo_of) == 1
    lines = (root / "via.json").read_text().splitlines()
    line = [number for number, text in enumerate(lines, 1) if text in ("    {", "    3")][1]
    assert len(found) == 1
    assert found[0].startswith(message.format(f'{root / "via.json"}:{line}: "a.jpg10" regions[1]'))


# ---------------------------------------------------------------- classes


@pytest.mark.parametrize(
    ("attributes", "declared", "expected"),
    [
        ([{"animal": "cat"}], {}, "animal"),
        ([{"animal": "cat", "Name": "dog"}], {}, "Name"),
        ([{"type": "x", "label": "dog"}], {}, "label"),
        ([{"a": "cat", "b": ""}], {}, "a"),
        ([{"a": "cat", "b": "x"}], {"b": {"type": "radio", "options": {"x": ""}}}, "b"),
        ([{"a": {"cat": True, "dog": False}}], {}, "a"),
    ],
)
def test_the_attribute_that_is_the_class(
    write: Callable[..., Path], attributes: list[Any], declared: dict[str, Any], expected: str
) -> None:
    regions = [region(RECT, **fields) for fields in attributes]
    labels, found = read(write({"via.json": project(image("a.jpg", regions), **declared)}))
    assert not found
    value = attributes[0][expected]
    assert labels.class_names == ("cat" if isinstance(value, dict) else value,)
    rest = {name: text for name, text in attributes[0].items() if name != expected}
    assert labels.attributes.objects == ({0: rest} if rest else {})


def test_attributes_of_which_any_may_be_the_class(write: Callable[..., Path]) -> None:
    root = write({"via.json": project(image("a.jpg", [region(RECT, a="x", b="y"), region(RECT, a="z")]))})
    with pytest.raises(LabelError, match=r"a \(2 regions\), b \(1 regions\)\. Rename the one"):
        read(root)


def test_regions_without_attributes_are_objects(write: Callable[..., Path]) -> None:
    labels, _ = read(write({"via.json": project(image("a.jpg", [region(RECT)]))}))
    assert labels.class_names == ("object",)


def test_options_are_classes_in_their_order(write: Callable[..., Path]) -> None:
    declared = {"kind": {"type": "dropdown", "options": {"dog": "", "cat": "", "eel": ""}}}
    labels, _ = read(write({"via.json": project(image("a.jpg", [region(RECT, kind="cat")]), **declared)}))
    assert labels.class_names == ("dog", "cat", "eel")


# ---------------------------------------------------------------- photos


def test_a_photo_in_two_entries(write: Callable[..., Path]) -> None:
    images = {"a.jpg10": image("a.jpg", [region(RECT)])["a.jpg10"], "a.jpg11": image("a.jpg", [])["a.jpg10"]}
    root = write({"via.json": project(images)})
    labels, found = read(root)
    assert len(labels.photos) == 1
    line = (root / "via.json").read_text().splitlines().index('  "a.jpg11": {') + 1
    assert found == [f'photo-listed-twice: {root / "via.json"}:{line}: "a.jpg11": a.jpg, also in via.json']


def test_regions_that_are_left_out_with_their_photo_are_counted(write: Callable[..., Path]) -> None:
    images = {"a.jpg10": image("a.jpg", [region(RECT)])["a.jpg10"]}
    images["a.jpg11"] = image("a.jpg", [region(RECT), region(POLYGON)])["a.jpg10"]
    images |= image("b.jpg", [region(RECT)] * 3)
    root = write({"via.json": project(images)}, ("a.jpg", "x/b.jpg", "y/b.jpg"))
    findings, source = Findings(), find_source(root)
    via.read(source, via.recognize(source), findings)
    counts = {finding.kind.id: finding.num_left_out for finding in findings}
    assert counts == {"photo-listed-twice": 2, "photo-ambiguous": 3}


def test_an_export_beside_its_project_is_passed_over(write: Callable[..., Path]) -> None:
    images = image("a.jpg", [region(RECT, c="x")])
    labels, found = read(write({"project.json": project(images), "export.json": images}))
    assert len(labels.photo_of) == 1
    assert not found
    images = image("a.jpg", [region(RECT, c="y")])
    labels, found = read(write({"export.json": images}))
    assert [text.partition(":")[0] for text in found] == ["photo-listed-twice"]


def test_splits_and_photos_come_from_the_folder_of_the_file(write: Callable[..., Path]) -> None:
    files = {f"{split}/via_region_data.json": image("a.jpg", [region(RECT)]) for split in ("train", "val")}
    labels, found = read(write(files, ("train/a.jpg", "val/a.jpg")))
    assert [(photo.file, photo.split) for photo in labels.photos] == [
        ("train/a.jpg", "train"),
        ("val/a.jpg", "val"),
    ]
    assert not found


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "https://host/x/b.png"])
def test_missing_photos(write: Callable[..., Path], name: str) -> None:
    labels, _ = read(write({"via.json": image(name, [region(RECT)])}))
    assert labels.photos[0].missing_name == name
    assert not labels.photos[0].file.startswith(("/", ".."))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("coco.json", {"images": [], "annotations": [], "categories": []}),
        ("labelme.json", {"version": "5", "shapes": [], "imagePath": "a.jpg"}),
        ("other.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n"),
        ("other.json", {"a.jpg": {"boxes": []}}),
    ],
)
def test_other_files_are_not_claimed(write: Callable[..., Path], name: str, content: object) -> None:
    assert via.recognize(find_source(write({name: content}))) == []


@pytest.mark.parametrize("content", ['{"_via_img_metadata": {"a": ', {"_via_img_metadata": []}])
def test_files_that_cannot_be_read(write: Callable[..., Path], content: object) -> None:
    labels, found = read(write({"via.json": content}))
    assert not labels.photos
    assert [text.partition(":")[0] for text in found] == ["file-unreadable"]
