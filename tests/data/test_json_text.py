"""JSON files: their content, or an error with its place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.json_text import read_json
from boxmask.errors import LabelError


def read(folder: Path, data: str | bytes) -> object:
    path = folder / "a.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_json(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "a.json: this file is empty"),
        (" \n", "a.json: this file is empty"),
        (bytes(40), "a.json: all 40 bytes of this file are zero"),
        ("[1,\n 2,]", "a.json:2:4: broken JSON"),
        ("[" * 100_000, "a.json: its lists and objects are nested too deeply"),
        ('{"a":' * 100_000, "a.json: its lists and objects are nested too deeply"),
        ("[1,\n " + "9" * 5000 + "]", "a.json:2:2: a number of over 4,300 digits"),
        ('["a",\n "\\ud800"]', r"a.json:2:3: \ud800 is half of a character"),
        ('["\\uDC00\\uD83D"]', r"a.json:1:3: \uDC00 is half of a character"),
        ('["\x01"]', "a.json:1:3: broken JSON (Invalid control character at)"),
        ('{"a": 1 "b": 2}', "a.json:1:9: broken JSON"),
        (b'["\x80\x80\x80"]', "a.json:1: byte 3 of this line is not UTF-8"),
    ],
)
def test_broken_files_are_refused_with_the_place(tmp_path: Path, data: str | bytes, message: str) -> None:
    with pytest.raises(LabelError) as raised:
        read(tmp_path, data)
    assert message in str(raised.value)


def test_pairs_of_surrogates_and_escaped_backslashes_are_text(tmp_path: Path) -> None:
    assert read(tmp_path, r'["\ud83d\ude00", "\\ud800", "\u00e9"]') == ["😀", r"\ud800", "é"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be", "cp949"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, '{"name": "상자"}'.encode(encoding)) == {"name": "상자"}


def test_a_key_with_two_values_is_located(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r'a\.json:2:9: expected each key once per object, found "b" again'):
        read(tmp_path, '[{"b": 1, "b": 1},\n {"b":1,"b": 2}]')


def test_a_key_may_be_repeated_beside_nan(tmp_path: Path) -> None:
    content = read(tmp_path, '{"a": NaN, "b": 1, "b": 1}')
    assert isinstance(content, dict)
    assert content["b"] == 1


def test_a_missing_file_is_named_by_its_kind(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"none\.json: no such split file"):
        read_json(tmp_path / "none.json", "split file")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(values, st.booleans())
def test_content_is_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, value: object, ascii: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    folder = tmp_path_factory.getbasetemp()
    try:
        assert read(folder, text) == value
    except LabelError:
        assert "\\ud" in text.decode("utf-8", "replace") or b"\xed" in text


# ---------------------------------------------------------------- repeated keys


@pytest.mark.parametrize(
    ("text", "line", "column", "key"),
    [
        ('{"a": [],\n "b": 1,\n "a": [1]}', 3, 2, "a"),
        ('{"images": [\n{"id": 1}, {"id": 2,\n\n  "id" : 3}]}', 4, 3, "id"),
        ('{"a": {"b": 1}, "b": "\\"b\\": {", "c": [{"b": 1, "b": null}]}', 1, 49, "b"),
        ('{"a": "b", "b": "a", "\\u0061": 2}', 1, 22, "a"),
        ('{"a": NaN, "a": NaN}', 1, 12, "a"),
    ],
)
def test_a_key_with_two_values_is_refused(
    tmp_path: Path, text: str, line: int, column: int, key: str
) -> None:
    with pytest.raises(LabelError, match=rf':{line}:{column}: expected each key once .* found "{key}" again'):
        read(tmp_path, text.encode())


def test_a_key_repeated_with_the_same_value_is_accepted(tmp_path: Path) -> None:
    assert read(tmp_path, b'{"a": [1, {"b": 2}], "a": [1.0, {"b": 2}]}') == {"a": [1, {"b": 2}]}
