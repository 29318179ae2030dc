from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import cvat
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.outlines import Ellipse, RotatedBox

META = """<meta><task><id>1</id><name>t</name><labels>
<label><name>dog</name><color>#ff0000</color><type>any</type><attributes>
<attribute><name>wet</name><mutable>False</mutable><input_type>checkbox</input_type></attribute>
<attribute><name>age</name><input_type>number</input_type><values>0
100
1</values></attribute>
</attributes></label>
<label><name>cat</name><attributes></attributes></label>
<label><name>rain</name><type>tag</type></label>
<label><name>person</name><type>skeleton</type></label>
<label><name>nose</name><type>points</type><parent>person</parent></label>
</labels></task></meta>"""
HEAD = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n{META}\n'
HEAD_LINES = HEAD.count("\n")
BOX = '<box label="cat" source="manual" occluded="0" xtl="1" ytl="2" xbr="9.5" ybr="7" z_order="0"></box>'


def image(*shapes: str, name: str = "a.jpg", more: str = "") -> str:
    """The first shape is in the second line."""
    inside = "".join(f"{shape}\n" for shape in shapes)
    return f'<image id="0" name="{name}" width="60" height="40"{more}>\n{inside}</image>\n'


@pytest.fixture
def write(tmp_path: Path, save_photo: Callable[..., None]) -> Callable[..., Path]:
    """Write annotations.xml of these images, and photos."""

    def run(*images: str, photos: tuple[str, ...] = ("images/a.jpg",), head: str = HEAD) -> Path:
        for photo in photos:
            save_photo(tmp_path / photo)
        (tmp_path / "annotations.xml").write_text(f"{head}{''.join(images)}</annotations>", encoding="utf-8")
        return tmp_path

    return run


def read(root: Path) -> tuple[Labels, list[str]]:
    """Labels, and the findings as "id: text"."""
    findings, source = Findings(), find_source(root)
    labels = cvat.read(source, cvat.recognize(source), findings)
    return labels, [f"{finding.kind.id}: {finding}" for finding in findings]


# ---------------------------------------------------------------- shapes


def test_shapes(write: Callable[..., Path]) -> None:
    shapes = [
        BOX,
        '<box label="dog" xtl="10" ytl="10" xbr="20" ybr="14" rotation="30.5"/>',
        '<polygon label="dog" points="1.00,1.00;9.50,1.00;9.00,9.00"/>',
        '<ellipse label="dog" cx="20" cy="15" rx="8" ry="4" rotation="10"/>',
        '<ellipse label="dog" cx="20" cy="15" rx="8" ry="8"/>',
        '<mask label="dog" rle="1, 2, 3, 2" left="5" top="6" width="4" height="2" occluded="0"/>',
    ]
    root = write(image(*shapes))
    labels, found = read(root)
    assert not found
    assert labels.class_names == ("dog", "cat")
    assert labels.attributes.classes == {"dog": {"color": "#ff0000"}}
    assert [labels.class_names[label] for label in labels.labels] == ["cat", *["dog"] * 5]
    assert labels.boxes[0].tolist() == [1, 2, 9.5, 7]
    assert labels.photos[0].declared_size == (40, 60)
    assert labels.outline is not None
    assert labels.outline(0) is None
    assert labels.outline(1) == RotatedBox((15, 12), (10, 4), 30.5)
    assert labels.outline(2).parts[0].tolist() == [[1, 1], [9.5, 1], [9, 9]]
    assert labels.outline(3) == Ellipse((20, 15), (8, 4), 10)
    assert labels.outline(4) == Ellipse((20, 15), (8, 8))
    assert [labels.location(row).line for row in range(6)] == [HEAD_LINES + 2 + row for row in range(6)]
    dense = read_unsplit_detection(root).masks(0).dense()[5]
    assert dense[6:8, 5:9].tolist() == [[False, True, True, False], [False, False, True, True]]
    assert dense.sum() == 4


@pytest.mark.parametrize("tag", ["polyline", "points", "cuboid", "skeleton"])
def test_other_shapes_are_refused_by_name_and_line(write: Callable[..., Path], tag: str) -> None:
    inner = '<points label="nose" points="1,1"/>' if tag == "skeleton" else ""
    root = write(image(BOX, f'<{tag} label="dog" points="1,1;2,2">{inner}</{tag}>'))
    labels, found = read(root)
    assert len(labels.photo_of) == 1
    path = root / "annotations.xml"
    assert found == [f"shape-unsupported: {path}:{HEAD_LINES + 3}: <{tag}> of the label dog"]


def test_a_video_is_refused_with_a_remedy(write: Callable[..., Path]) -> None:
    track = '<track id="0" label="dog">\n<box frame="0" xtl="1" ytl="1" xbr="2" ybr="2"></box></track>\n'
    root = write(track, track)
    labels, found = read(root)
    assert not labels.photos
    advice = 'Export the task or project from CVAT as "CVAT for images" instead'
    place = f"{root / 'annotations.xml'}:{HEAD_LINES + 1}"
    assert found == [f"shape-unsupported: {place}: 2 tracks of a video. {advice}"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<box label="dog" xtl="x"/>', "<box> needs a number xtl, found x"),
        ('<box label="dog" xtl="1" ytl="1" xbr="1"/>', "<box> needs a number ybr, found nothing"),
        ('<box xtl="1" ytl="1" xbr="2" ybr="2"/>', "a <box> without a label"),
        ('<polygon label="dog" points="1,1;2"/>', "expected points as x,y;x,y;..., found 1,1;2"),
        ('<polygon label="dog" points="1;1,2;2"/>', "expected points as x,y;x,y;..., found 1;1,2;2"),
        ('<polygon label="dog"/>', "expected points as x,y;x,y;..., found nothing"),
        ('<ellipse label="dog" cx="1"/>', "<ellipse> needs a number cy, found nothing"),
    ],
)
def test_shapes_that_cannot_be_read(write: Callable[..., Path], shape: str, message: str) -> None:
    root = write(image(BOX, shape))
    labels, found = read(root)
    assert len(labels.photo_of) == 1
    assert found == [f"entry-unreadable: {root / 'annotations.xml'}:{HEAD_LINES + 3}: {message}"]


@pytest.mark.parametrize(
    ("rle", "window", "message"),
    [
        ("1, 2", (5, 6, 4, 2), "its run lengths add up to 3, its box has 8 pixels"),
        ("-1, 9", (5, 6, 4, 2), "its run lengths add up to 8, its box has 8 pixels"),
        ("1; 7", (5, 6, 4, 2), "expected run lengths as whole numbers in rle"),
        ("", (5, 6, 4, 2), "expected run lengths as whole numbers in rle"),
        ("0, 100000000000000000000", (5, 6, 4, 2), "expected run lengths as whole numbers in rle"),
        ("0, 8", (5, 6, 400, 2), "a mask of 400 × 2 pixels in a photo of 60 × 40"),
        ("0, 8", ("x", 6, 4, 2), "expected whole numbers left, top, width, height"),
    ],
)
def test_masks_that_cannot_be_read(
    write: Callable[..., Path], rle: str, window: tuple[object, ...], message: str
) -> None:
    left, top, width, height = window
    mask = f'<mask label="dog" rle="{rle}" left="{left}" top="{top}" width="{width}" height="{height}"/>'
    labels, _ = read(write(image(mask)))
    assert labels.outline is not None
    with pytest.raises(ValueError, match=message):
        labels.outline(0)


def test_a_mask_beyond_the_edge_is_cut(write: Callable[..., Path]) -> None:
    labels, _ = read(write(image('<mask label="dog" rle="0, 8" left="58" top="39" width="4" height="2"/>')))
    assert labels.outline is not None
    assert labels.outline(0).counts[1::2].sum() == 2


# ---------------------------------------------------------------- attributes


def test_attributes(write: Callable[..., Path]) -> None:
    inside = '<attribute name="wet">true</attribute><attribute name="age">7</attribute>'
    inside += '<attribute name="note"> a\nb </attribute><attribute name="is_crowd">true</attribute>'
    fields = 'xtl="1" ytl="1" xbr="5" ybr="5" occluded="1" z_order="2" group_id="3" source="auto"'
    tag = '<tag label="rain" source="manual"><attribute name="wet">true</attribute></tag>'
    labels, found = read(write(image(f'<box label="dog" {fields}>{inside}</box>', tag)))
    assert not found
    expected = {"occluded": True, "z_order": 2, "group": 3, "source": "auto"}
    assert labels.attributes.objects == {0: {**expected, "wet": True, "age": 7, "note": " a\nb "}}
    assert labels.attributes.photos == {0: {"tags": ["rain"]}}
    assert labels.crowd.tolist() == [True]


# ---------------------------------------------------------------- photos


def test_photos_are_found_in_the_folders_of_subsets(write: Callable[..., Path]) -> None:
    names = [("a.jpg", "train"), ("a.jpg", "Validation"), ("cam/b.jpg", "default"), ("c.jpg", "")]
    images = [image(name=name, more=f' subset="{subset}"' if subset else "") for name, subset in names]
    photos = ("images/train/a.jpg", "images/Validation/a.jpg", "images/default/cam/b.jpg", "images/c.jpg")
    labels, found = read(write(*images, photos=photos))
    assert tuple(photo.file for photo in labels.photos) == photos
    assert [photo.split for photo in labels.photos] == ["train", "val", None, None]
    assert not found


def test_an_image_in_two_tasks(write: Callable[..., Path]) -> None:
    root = write(image(BOX), image(BOX, more=' task_id="2"'))
    labels, found = read(root)
    assert len(labels.photo_of) == 1
    path = root / "annotations.xml"
    first = f"{path}:{HEAD_LINES + 1}"
    assert found == [f"photo-listed-twice: {path}:{HEAD_LINES + 4}: images/a.jpg, also at {first}"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "images/../../x.jpg"])
def test_paths_do_not_leave_the_data_set(write: Callable[..., Path], name: str) -> None:
    labels, _ = read(write(image(BOX, name=name)))
    assert labels.photos[0].missing_name == name
    assert not labels.photos[0].file.startswith(("/", ".."))


def test_an_image_without_a_name(write: Callable[..., Path]) -> None:
    labels, found = read(write(image(BOX, name="")))
    assert not labels.photos
    assert found[0].endswith("an <image> without a name")


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}{image(BOX)}", "broken XML"),
        (f"{HEAD}{image(BOX)}&x;</annotations>", "broken XML (undefined entity)"),
        (f'<!DOCTYPE a [<!ENTITY x "y">]><annotations><image {"/"}></annotations>', "declares an entity"),
    ],
)
def test_a_broken_file_adds_nothing(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    findings, source = Findings(), find_source(tmp_path)
    labels = cvat.read(source, ["a.xml"], findings)
    assert not labels.photos
    assert len(findings) == 1
    (finding,) = findings
    assert finding.kind.id == "file-unreadable"
    assert message in finding.detail


def test_a_file_in_another_encoding_is_noted(write: Callable[..., Path]) -> None:
    root = write(photos=("images/a.jpg",))
    head = HEAD.replace("utf-8", "euc-kr").replace("<name>cat", "<name>고양이")
    shape = BOX.replace("cat", "고양이")
    (root / "annotations.xml").write_bytes(f"{head}{image(shape)}</annotations>".encode("euc-kr"))
    labels, found = read(root)
    assert labels.class_names == ("dog", "고양이")
    assert not found


@pytest.mark.parametrize(
    "text",
    ["<annotation><object/></annotation>", "<annotations><a/></annotations>", "<a><annotations><meta/>"],
)
def test_other_files_are_not_claimed(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    assert cvat.recognize(find_source(tmp_path)) == []


def test_whole_sets_are_read(write: Callable[..., Path]) -> None:
    dataset = read_unsplit_detection(write(image(BOX, '<polygon label="dog" points="1,1;9,1;9,9"/>')))
    assert dataset.class_names == ("dog", "cat")
    assert np.allclose(dataset.boxes, [[1, 2, 9.5, 7], [1, 1, 9, 9]])


def test_an_attribute_without_a_type_is_text(write: Callable[..., Path]) -> None:
    untyped = "<attribute><name>code</name></attribute></attributes></label>"
    shape = '<box label="dog" xtl="1" ytl="2" xbr="9" ybr="7"><attribute name="code">007</attribute></box>'
    head = HEAD.replace("</attributes></label>", untyped, 1)
    labels, _ = read(write(image(shape), head=head))
    assert labels.attributes.objects == {0: {"code": "007"}}
