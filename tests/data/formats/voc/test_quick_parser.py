"""The quick parser reads what the exact one reads, or leaves the file to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.findings import Findings
from boxmask.data.formats.voc import xml_file
from boxmask.data.formats.voc.quick_parser import parse_quickly

NUMBERS = st.one_of(st.integers(-5, 700), st.floats(width=32)).map(str)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="<&>", exclude_categories=["C", "Z"]), min_size=1
)
FLAGS = st.sampled_from(["", "0", "1", "Unspecified", "true"])


@st.composite
def an_object(draw: st.DrawFn) -> str:
    flags = "".join(f"<{tag}>{draw(FLAGS)}</{tag}>" for tag in ("pose", "truncated", "difficult"))
    corners = "\n".join(f"<{tag}>{draw(NUMBERS)}</{tag}>" for tag in ("xmin", "ymin", "xmax", "ymax"))
    part = draw(st.sampled_from(["", "<part><name>head</name></part>", "<part/>"]))
    return f"<object>\n<name> {draw(NAMES)} </name>\n{flags}{part}\n<bndbox>{corners}</bndbox></object>\n"


@st.composite
def annotations(draw: st.DrawFn) -> str:
    objects = "".join(draw(an_object()) for _ in range(draw(st.integers(0, 3))))
    size = draw(st.sampled_from(["", "<size><width>60</width><height> 40 </height></size>", "<size/>"]))
    filename = draw(st.sampled_from(["", "<filename>a.jpg</filename>\n", "\n<filename/>"]))
    others = draw(st.sampled_from(["", "<path> /x/a.jpg </path><owner/>", "<source><database/></source>"]))
    return f"<annotation>\n<folder>x</folder>\n{filename}{size}{others}{objects}</annotation>"


@given(annotations())
def test_both_parsers_agree(text: str) -> None:
    findings = Findings()
    header, objects = xml_file._read_exactly(text, Path("a.xml"), "a.xml", findings)
    quick = parse_quickly(text, "a.xml")
    assert quick is not None or len(findings)
    if quick:
        assert quick[0] == header
        for name in ("names", "difficult", "attributes"):
            assert getattr(quick[1], name) == getattr(objects, name)
        assert str(quick[1].corners) == str(objects.corners)  # NaN is equal as text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("<bndbox>", "<box>").replace("</bndbox>", "</box>"),
        lambda text: text.replace("<name>", "<name>dog</name><name>"),
        lambda text: text.replace("<object>", "<Object>").replace("</object>", "</Object>"),
        lambda text: text.replace("<object>", "<group><object>").replace("</object>", "</object></group>"),
        lambda text: text.replace("<xmin>5<", "<xmin><"),
        lambda text: text.replace("\n", "\r"),
        lambda text: '<!DOCTYPE a [<!ENTITY b "cat">]>' + text,
        lambda text: text.replace("</annotation>", ""),
        lambda text: text.replace("annotation>", "annotations>"),
    ],
)
def test_unusual_files_are_left_to_the_exact_parser(
    voc_xml: Callable[..., str], change: Callable[[str], str]
) -> None:
    text = voc_xml("a.jpg", [("cat", 5, 5, 30, 30)])
    assert parse_quickly(text, "a.xml")
    assert parse_quickly(change(text), "a.xml") is None
