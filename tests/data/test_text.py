"""Bytes of label files become text: encodings by mark, by declaration and by trial, and damaged files."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.code_pages import codec_of, guess_code_pages
from boxmask.data.text import decode_text, read_beginning, read_lines, read_text
from boxmask.errors import LabelError

PATH = Path("labels.xml")


def declared(name: str, text: str, codec: str) -> bytes:
    return f'<?xml version="1.0" encoding="{name}"?><name>{text}</name>'.encode(codec)


@pytest.mark.parametrize(
    ("name", "text", "codec"),
    [
        ("EUC-KR", "상자", "euc_kr"),
        ("euc-kr", "똠방각하", "cp949"),  # beyond EUC-KR, as Windows writes it
        ("cp949", "상자", "cp949"),
        ("ks_c_5601-1987", "상자", "euc_kr"),
        ("GB2312", "盒子", "gb2312"),
        ("gb2312", "镕", "gbk"),  # beyond GB2312
        ("GB18030", "盒子𠀀", "gb18030"),
        ("Shift_JIS", "箱①", "cp932"),
        ("EUC-JP", "箱", "euc_jp"),
        ("Big5", "箱子", "big5"),
        ("ISO-8859-1", "Größe €", "cp1252"),
        ("ISO-8859-2", "łódź", "iso8859_2"),
        ("windows-1251", "коробка", "cp1251"),
        ("koi8-r", "коробка", "koi8_r"),
        ("utf8", "상자", "utf-8"),
        ("UTF-8", "상자", "utf-8"),
    ],
)
def test_a_declared_encoding_is_read_without_a_note(name: str, text: str, codec: str) -> None:
    decoded = decode_text(declared(name, text, codec), PATH)
    assert f"<name>{text}</name>" in decoded.content
    assert decoded.note == ""


@pytest.mark.parametrize("name", ["ANSI", "EUC-KR", "gb2312", "iso-8859-1", "klingon", "", "rot13", "UTF-16"])
@pytest.mark.parametrize("text", ["상자", "箱子", "Größe", "коробка"])
def test_utf8_declared_as_something_else_is_read_as_utf8_with_a_note(name: str, text: str) -> None:
    decoded = decode_text(declared(name, text, "utf-8"), PATH)
    assert text in decoded.content
    assert decoded.note == (f"declares {name}, read as UTF-8" if name else "")


@pytest.mark.parametrize(
    "name", ["ANSI", "klingon", "UTF-8", "ascii", "unicode_escape", "zlib", "idna", "a" * 99]
)
def test_ascii_is_read_whatever_is_declared(name: str) -> None:
    decoded = decode_text(declared(name, "box", "ascii"), PATH)
    assert "<name>box</name>" in decoded.content
    assert decoded.note == ""


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("상자", "cp949"),
        ("신호등", "cp949"),
        ("볼트 불량", "cp949"),
        ("盒子", "gb18030"),
        ("汽车", "gb18030"),
        ("螺丝", "gb18030"),
        ("りんご", "cp932"),
        ("ネジ", "cp932"),
        ("信号", "cp932"),
        ("蘋果", "cp950"),
        ("Schlüssel", "cp1252"),
        ("Größe", "cp1252"),
        ("pièce", "cp1252"),
        ("коробка", "cp1251"),
    ],
)
@pytest.mark.parametrize("name", ["ANSI", "", "UTF-8"])
def test_the_code_page_of_ansi_is_found_by_trial_and_noted(text: str, codec: str, name: str) -> None:
    decoded = decode_text(declared(name, text, codec), PATH)
    assert f"<name>{text}</name>" in decoded.content
    claim = f"declares {name}" if name else "is not UTF-8"
    assert decoded.note == f"{claim}, read as {codec}"


def test_text_that_fits_several_code_pages_is_refused_with_their_names() -> None:
    with pytest.raises(LabelError, match=r"labels\.xml:1: byte \d+ of this line is not UTF-8") as raised:
        decode_text(declared("ANSI", "红绿灯", "gb18030"), PATH)
    assert "declares ANSI" in str(raised.value)
    assert "It may be gb18030 or cp950. Save the file as UTF-8." in str(raised.value)


def test_the_language_of_the_computer_decides_between_code_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "红绿灯".encode("gb18030")
    monkeypatch.setattr("locale.getlocale", lambda: ("zh_CN", "UTF-8"))
    assert guess_code_pages(data) == ["gb18030"]
    monkeypatch.setattr("locale.getlocale", lambda: (None, None))
    assert guess_code_pages(data) == ["gb18030", "cp950"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>\n<annotation><name>상자</name></annotation>'
    decoded = decode_text(text.encode(encoding), PATH)
    assert decoded.content == text
    assert decoded.note == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(3000), "labels.xml: all 3,000 bytes of this file are zero, as after a crash"),
        (b"<annotation>" + bytes(4000), "labels.xml: byte 12 is zero, which text does not have"),
        (codecs.BOM_UTF8 + b"ab\0", "labels.xml:1: a zero where text should be"),
        (codecs.BOM_UTF16_LE + b"a\0b", "labels.xml: byte 2 is not UTF-16"),
        (codecs.BOM_UTF16_LE + b"a\0\0\xd8", "labels.xml: byte 2 is not UTF-16"),
        (b"ok\nno\xff\xff\xff", "labels.xml:2: byte 3 of this line is not UTF-8"),
        ("Größe".encode()[:5] + b" ", "labels.xml:1: byte 5 of this line is not UTF-8"),
        (declared("EUC-KR", "", "ascii") + b"\xff", "of this line is not EUC-KR, as declared"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "zero, which text does not have"),
    ],
)
def test_damaged_files_are_refused_with_the_place(data: bytes, message: str) -> None:
    with pytest.raises(LabelError) as raised:
        decode_text(data, PATH)
    assert message in str(raised.value)


def test_lines_end_at_line_feeds_and_carriage_returns_only(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes("a\r\nb\rc\nd\x0be\u2028f\x85g\n\x1a".encode())
    assert read_lines(path) == ["a", "b", "c", "d\x0be\u2028f\x85g", ""]
    path.write_bytes(b"")
    assert read_lines(path) == [""]


def test_control_characters_in_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(b"cat\nd\x1b[31mog\n")
    with pytest.raises(LabelError, match=r"classes\.txt:2:2: the control character U\+001B"):
        read_lines(path)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="absent: no such list"):
        read_text(tmp_path / "absent", "list")
    with pytest.raises(LabelError, match="cannot be read"):
        read_text(tmp_path)
    with pytest.raises(LabelError, match="cannot be read"):
        read_text(tmp_path / ("a" * 300))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_the_beginning_of_a_file_is_read_in_any_unicode(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(("<annotation>" + "상자" * 999).encode(encoding))
    assert read_beginning(path, 64).startswith("<annotation>")


def test_codecs_that_are_no_encodings_are_unknown() -> None:
    names = [
        "rot13",
        "hex",
        "zlib",
        "idna",
        "punycode",
        "unicode_escape",
        "undefined",
        "no",
        "",
        "../x",
        "utf-16",
    ]
    assert [name for name in names if codec_of(name)] == []


@given(
    st.binary(max_size=300), st.sampled_from(["", "ANSI", "EUC-KR", "gb2312", "iso2022_jp", "cp037", "hz"])
)
def test_any_bytes_are_text_or_a_label_error(data: bytes, name: str) -> None:
    opening = f'<?xml version="1.0" encoding="{name}"?>'.encode() if name else b""
    try:
        text = decode_text(opening + data, PATH)
    except LabelError:
        return
    assert text.content.encode().decode() == text.content


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80))
def test_utf8_text_is_read_unchanged(text: str) -> None:
    assert decode_text(text.encode(), PATH).content == text.removeprefix("\ufeff")
