from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.formats.json_places import JsonPlaces

TEXT = """{
 "a": {"x": [1,
   2], "y\\"": {
   "z": null}},
 "b": [
  {"c": "}"},
  {"c": "d"}
 ]
}"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 1),
        (("a",), 2),
        ((0, "x", 1), 3),
        (("a", 'y"', "z"), 4),
        (("b",), 5),
        (("b", 0), 6),
        (("b", 1, "c"), 7),
        ((1, 1), 7),
        (("b", 2), None),
        (("c",), None),
        (("b", 0, "c", 0), None),
    ],
)
def test_lines(tmp_path: Path, keys: tuple[str | int, ...], line: int | None) -> None:
    (tmp_path / "a.json").write_text(TEXT)
    assert JsonPlaces(tmp_path / "a.json").line(*keys) == line


@pytest.mark.parametrize("text", ['{"a": [1, 2]}', "[1,\n{]", '{"a"\n', "\n"])
def test_broken_files_and_single_lines(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert JsonPlaces(tmp_path / "a.json").line("a", 1) is None
