"""XML as a tree with lines: encodings, entities, nesting, and the size of what small files expand to."""

import time
from pathlib import Path

import pytest

from boxmask.data.formats.xml_tree import MAX_DEPTH, Element, read_xml
from boxmask.errors import LabelError


def read(folder: Path, data: str | bytes) -> Element:
    path = folder / "a.xml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_xml(path)


@pytest.mark.parametrize(
    ("name", "codec", "text"),
    [
        ("EUC-KR", "euc_kr", "상자"),
        ("cp949", "cp949", "상자"),
        ("GB2312", "gb2312", "盒子"),
        ("GBK", "gbk", "盒子"),
        ("Shift_JIS", "shift_jis", "箱"),
        ("Big5", "big5", "箱子"),
        ("utf8", "utf-8", "상자"),
        ("UTF-16", "utf-16", "상자"),
        ("ANSI", "cp1252", "Größe"),
        ("ANSI", "ascii", "box"),
    ],
)
def test_every_encoding_of_label_tools_is_read_with_the_right_lines(
    tmp_path: Path, name: str, codec: str, text: str
) -> None:
    xml = f'<?xml version="1.0" encoding="{name}"?>\n<a>\n<name>{text}</name>\n<b/></a>'
    root = read(tmp_path, xml.encode(codec))
    assert root.text_of("name") == text
    assert [child.line for child in root.children] == [3, 4]
    assert root.note == ("declares ANSI, read as cp1252" if codec == "cp1252" else "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "a.xml: this file is empty"),
        ("\ufeff", "a.xml: this file is empty"),
        (bytes(100), "a.xml: all 100 bytes of this file are zero"),
        ("<a>\n<b></a>", "a.xml:2:6: broken XML (mismatched tag)"),
        ("<a>\x01</a>", "a.xml:1:4: broken XML (not well-formed (invalid token))"),
        ("<a/><b/>", "a.xml:1:5: broken XML (junk after document element)"),
        ("<a>&nbsp;</a>", "a.xml:1:4: broken XML (undefined entity)"),
        ('<!DOCTYPE a SYSTEM "x.dtd"><a>\n&eacute;</a>', "a.xml:2:1: &eacute; is not defined"),
        ('<!DOCTYPE a [\n<!ENTITY x "y">]><a>&x;</a>', "a.xml:2:"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares an entity"),
        ("<a>" * 100, f"over {MAX_DEPTH} elements inside one another"),
        ("<a>" * 1_000_000, f"over {MAX_DEPTH} elements inside one another"),
        (
            b'<?xml version="1.0" encoding="EUC-KR"?><a>\n' + b"\xff</a>",
            "a.xml:2: byte 1 of this line",
        ),
    ],
)
def test_what_is_no_label_file_is_refused_with_the_place(
    tmp_path: Path, data: str | bytes, message: str
) -> None:
    with pytest.raises(LabelError) as raised:
        read(tmp_path, data)
    assert message in str(raised.value)


def test_entities_that_expand_to_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    entities = '<!ENTITY e0 "ha">' + "".join(
        f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12)
    )
    start = time.perf_counter()
    with pytest.raises(LabelError, match="declares an entity of its own, e0"):
        read(tmp_path, f"<!DOCTYPE a [{entities}]><a>&e11;</a>")
    assert time.perf_counter() - start < 1


def test_text_in_very_many_parts_is_joined_in_linear_time(tmp_path: Path) -> None:
    start = time.perf_counter()
    root = read(tmp_path, "<a>" + "x<!---->" * 200_000 + "</a>")
    assert root.text == "x" * 200_000
    assert time.perf_counter() - start < 10
