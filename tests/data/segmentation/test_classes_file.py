"""The classes file of label maps in each of its forms, and the errors about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.segmentation.classes_file import find_classes_file, read_classes_file
from boxmask.errors import LabelError
from boxmask.types import IGNORED


def written(folder: Path, text: str, name: str = "classes.txt") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "Green house 3C1098\nRoad #6ec1e4\n\nUnlabeled 9B9B9B ignore\n"),
        ("classes.txt", "\ufeffGreen house,60,16,152\r\nRoad, 110, 193, 228\r\nUnlabeled,9B9B9B,ignore\r\n"),
        ("class_dict.csv", "name,r,g,b\nGreen house,60,16,152\nRoad,110,193,228\nx,155,155,155,ignore\n"),
        ("classes.csv", 'class,color\n"Green house",3C1098\nRoad,#6EC1E4\nx,9b9b9b,Ignore\n'),
        (
            "classes.json",
            '{"Green house": "3C1098", "Road": [110, 193, 228], "x": {"color": "9B9B9B", "ignore": true}}',
        ),
        (
            "classes.json",
            '{"Green house": {"colour": "3C1098"}, "Road": "6EC1E4",'
            ' "x": {"colour": "9B9B9B", "ignore": true}}',
        ),
        ("classes.csv", "class,colour\nGreen house,3C1098\nRoad,6EC1E4\nx,9B9B9B,ignore\n"),
        (
            "classes.json",
            '[{"name": "Green house", "color": "#3C1098"}, {"name": "Road", "color": [110, 193, 228]},'
            ' {"name": "x", "color": "9B9B9B", "ignore": true}]',
        ),
    ],
)
def test_every_form_gives_the_same_classes(tmp_path: Path, name: str, text: str) -> None:
    classes = read_classes_file(written(tmp_path, text, name))
    assert classes.names == ("Green house", "Road")
    assert classes.by_color
    assert classes.labels == {0x3C1098: 0, 0x6EC1E4: 1, 0x9B9B9B: IGNORED}


def test_names_only_are_counted_from_0_and_255_is_ignored_as_in_voc(tmp_path: Path) -> None:
    classes = read_classes_file(written(tmp_path, "background\nvoid ignore\nTile 7\n"))
    assert classes.names == ("background", "Tile 7")
    assert not classes.by_color
    assert classes.labels == {0: 0, 1: IGNORED, 2: 1, 255: IGNORED}
    listed = read_classes_file(written(tmp_path, '["background", "cat"]', "classes.json"))
    assert listed.labels == {0: 0, 1: 1, 255: IGNORED}


def test_indices(tmp_path: Path) -> None:
    classes = read_classes_file(written(tmp_path, "name,id\nroad,7\nroad,8\nsky,23\nnoise,255\n"))
    assert classes.names == ("road", "sky", "noise")
    assert classes.labels == {7: 0, 8: 0, 23: 1, 255: 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("road,7\nsky 3C1098\n", r"classes\.txt:2: this line has a color, the first one has an index"),
        ("road 3C1098\nsky\n", r"classes\.txt:2: this line has a name only, the first one has a color"),
        ("road 3C1098\n\nsky 3c1098\n", r"classes\.txt:3: 3C1098 is also at .*classes\.txt:1"),
        ("road\nroad\n", r'classes\.txt:2: "road" is also at .*classes\.txt:1'),
        ("road,300,0,0\n", r'classes\.txt:1: "300, 0, 0" is neither a color nor an index'),
        ("road,1,2\n", r'classes\.txt:1: "1, 2" is neither'),
        (",3C1098\n", r"classes\.txt:1: a class without a name"),
        ("", "names no class"),
        ("x 3C1098 ignore\n", "names no class"),
        ("".join(f"c{n},{n}\n" for n in range(256)), "256 classes; at most 255"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_classes_file(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"road": "3C1098",}', r"classes\.json:1:\d+: broken JSON"),
        ("7", "expected"),
        ("[1, 2]", "expected"),
        ('{"road": "green"}', r'classes\.json: road: "green" is neither'),
    ],
)
def test_errors_in_json(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_classes_file(written(tmp_path, text, "classes.json"))


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such classes file"):
        read_classes_file(tmp_path / "absent.txt")
    (tmp_path / "classes.txt").write_bytes(b"stra\xff\xfe\xff 3C1098\n")
    with pytest.raises(LabelError, match="byte 5 of this line is not UTF-8"):
        read_classes_file(tmp_path / "classes.txt")


def test_the_classes_file_of_a_folder_is_found_but_not_one_of_two(tmp_path: Path) -> None:
    assert find_classes_file(tmp_path) is None
    path = written(tmp_path, "road\n")
    assert find_classes_file(tmp_path) == path
    written(tmp_path, '["road"]', "classes.json")
    with pytest.raises(LabelError, match="two classes files"):
        find_classes_file(tmp_path)


# ---------------------------------------------------------------- labelmap.txt of CVAT


CVAT = (
    "# label:color_rgb:parts:actions\n"
    "background:0,0,0::\n"
    "Green house:128,0,0::\n"
    "man: old:0,128,0:head,arm:run\n"
)


@pytest.mark.parametrize("name", ["labelmap.txt", "classes.txt", "mine.txt"])
@pytest.mark.parametrize("heading", ["", "\ufeff", "\n"])
def test_the_labelmap_of_cvat(tmp_path: Path, name: str, heading: str) -> None:
    classes = read_classes_file(written(tmp_path, heading + CVAT, name))
    assert classes.names == ("background", "Green house", "man: old")
    assert classes.labels == {0: 0, 0x800000: 1, 0x008000: 2}
    assert classes.by_color


def test_the_labelmap_of_cvat_is_found_in_any_case(tmp_path: Path) -> None:
    path = written(tmp_path, CVAT, "LabelMap.txt")
    assert find_classes_file(tmp_path) == path


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cat:::", r"labelmap\.txt:1: cat has no color\. Write cat:RED,GREEN,BLUE::"),
        ("cat:300,0,0::", r'labelmap\.txt:1: "300, 0, 0" is neither'),
        ("a:1,2,3::\nb:1,2,3::", r"labelmap\.txt:2: 010203 is also at"),
        ("a:1,2,3::\nb", r"labelmap\.txt:2: this line has a name only, the first one has a color"),
    ],
)
def test_errors_in_the_labelmap_of_cvat(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_classes_file(written(tmp_path, line, "labelmap.txt"))


def test_spellings_of_a_class_in_unicode_are_one_class(tmp_path: Path) -> None:
    classes = read_classes_file(written(tmp_path, "Stra\u00dfe,1\ncafe\u0301,2\ncaf\u00e9,3\n"))
    assert classes.names == ("Stra\u00dfe", "caf\u00e9")
    assert classes.labels == {1: 0, 2: 1, 3: 1, 255: IGNORED}
    assert {name: place().line for name, place in classes.spellings.items()} == {
        "Stra\u00dfe": 1,
        "cafe\u0301": 2,
        "caf\u00e9": 3,
    }
