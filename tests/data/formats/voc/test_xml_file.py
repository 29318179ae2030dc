"""VOC files in which a tag occurs twice or in the wrong place, where content would be lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError

Write = Callable[..., Path]
CAT = ("cat", 5, 6, 25, 30)
OTHER_BOX = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"


@pytest.fixture
def change(write_voc: Write) -> Callable[[str, str], Path]:
    """Write two label files and replace some text in the first; gives the root."""

    def change(old: str, new: str) -> Path:
        root = write_voc({"a": [CAT], "b": [CAT]})
        label_file = root / "Annotations/a.xml"
        text = label_file.read_text()
        assert old in text
        label_file.write_text(text.replace(old, new, 1))
        return root

    return change


def refused(root: Path, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_detection(root)


@pytest.mark.parametrize(
    ("old", "new", "line", "tag"),
    [
        ("</object>", f"{OTHER_BOX}</object>", 11, "bndbox"),
        ("</object>", "<name>dog</name></object>", 11, "name"),
        ("</object>", "<difficult>1</difficult></object>", 11, "difficult"),
        ("</bndbox>", "<xmin>7</xmin></bndbox>", 10, "xmin"),
        ("</annotation>", "<filename>b.jpg</filename></annotation>", 12, "filename"),
        ("</annotation>", "<size><width>9</width><height>9</height></size></annotation>", 12, "size"),
        ("</size>", "<width>9</width></size>", 3, "width"),
    ],
)
def test_a_tag_with_two_contents_is_refused(
    change: Callable[[str, str], Path], old: str, new: str, line: int, tag: str
) -> None:
    refused(
        change(old, new), rf"a\.xml:{line}: expected one <{tag}> inside <\w+>, found another one with other"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<name>cat</name>", "<name>cat</name><name> cat </name>"),
        ("<difficult>0</difficult>", "<difficult>0</difficult>" * 2),
        ("<xmin>5</xmin>", "<xmin>5</xmin>" * 3),
        ("<filename>a.jpg</filename>", "<filename>a.jpg</filename>" * 2),
        ("</annotation>", "<size><width>60</width><height>40</height></size></annotation>"),
    ],
)
def test_a_repeat_of_the_same_content_is_accepted(
    change: Callable[[str, str], Path], old: str, new: str
) -> None:
    assert read_detection(change(old, new)).boxes.tolist() == [[4, 5, 25, 30]] * 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<object>", "<objects><object>", r"a\.xml:4: expected each <object> directly inside <annotation>, "),
        ("<object>", "<Object>", r"a\.xml:4: .* found <Object> inside <annotation>"),
        ("<name>", "<object><name>dog</name></object><name>", r"a\.xml:5: .*found <object> inside <object>"),
    ],
)
def test_objects_in_the_wrong_place_are_refused(
    change: Callable[[str, str], Path], old: str, new: str, message: str
) -> None:
    root = change(old, new)
    label_file = root / "Annotations/a.xml"
    text = label_file.read_text()
    if "<objects>" in text:
        text = text.replace("</object>", "</object></objects>")
    label_file.write_text(text.replace("</object>", "</Object>") if "<Object>" in text else text)
    refused(root, message)


def test_several_annotations_in_one_file_are_refused(change: Callable[[str, str], Path]) -> None:
    root = change("<annotation>", "<all><annotation>")
    label_file = root / "Annotations/a.xml"
    label_file.write_text(label_file.read_text() + "</all>")
    refused(root, r"a\.xml:1: expected <annotation> as the outermost element, found <all>")


def test_an_object_without_name_or_box_is_named_with_what_it_has(change: Callable[[str, str], Path]) -> None:
    refused(
        change("<name>cat</name>", "<label>cat</label>"), r"a\.xml:4: .*found <label>, <difficult>, <bndbox>"
    )
    root = change("<bndbox>", "<robndbox>")
    label_file = root / "Annotations/a.xml"
    label_file.write_text(label_file.read_text().replace("</bndbox>", "</robndbox>"))
    refused(
        root, r"a\.xml:4: cat without a <bndbox>; expected .*<xmin>.*, found <name>, <difficult>, <robndbox>"
    )


@pytest.mark.parametrize("width", ["60.0", " 60 ", "", "unknown", "-3", "9" * 5000, "nan", "1e400"])
def test_a_declared_size_is_a_whole_number_or_ignored(change: Callable[[str, str], Path], width: str) -> None:
    dataset = read_detection(change("<width>60</width>", f"<width>{width}</width>"))
    assert dataset.sizes.tolist() == [[40, 60]] * 2
    assert not any("declared" in note for note in dataset.notes)


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "-inf", "NaN"])
def test_a_coordinate_beyond_all_photos_is_a_bad_box(change: Callable[[str, str], Path], number: str) -> None:
    refused(change("<xmax>25</xmax>", f"<xmax>{number}</xmax>"), r"a\.xml:4: cat in .* coordinate")
