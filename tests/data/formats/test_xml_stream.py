from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.formats import xml_stream
from boxmask.data.formats.xml_stream import stream_xml
from boxmask.errors import LabelError


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.events.append((tag, attributes, line))

    def end(self, tag: str, text: str) -> None:
        self.events.append((f"/{tag}", text))


def events(path: Path, content: bytes) -> list[tuple[object, ...]]:
    path.write_bytes(content)
    recorder = Recorder()
    stream_xml(path, recorder)
    return recorder.events


TEXT = '<a>\n<b x="é">one</b>\n<c>two<d/>three</c></a>'
EVENTS = [
    ("a", {}, 1),
    ("b", {"x": "é"}, 2),
    ("/b", "one"),
    ("c", {}, 3),
    ("d", {}, 3),
    ("/d", ""),
    ("/c", ""),
    ("/a", ""),
]


@pytest.mark.parametrize("block", [1, 3, 2**20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_elements_are_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, encoding: str
) -> None:
    monkeypatch.setattr(xml_stream, "_BLOCK", block)
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding == "cp1252" else ""
    assert events(tmp_path / "a.xml", (declaration + TEXT).encode(encoding)) == EVENTS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this file is empty"),
        (b" \n ", "this file is empty"),
        (b"<a>\n<b></a>", r"a.xml:2:6: broken XML \(mismatched tag\)"),
        (b"<a>&x;</a>", "broken XML"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares an entity of its own, x"),
        (b"<a>" * 65 + b"</a>" * 65, "over 64 elements inside one another"),
        (b"<a>\0</a>", "a.xml"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        events(tmp_path / "a.xml", content)


def test_nothing_of_a_broken_file_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"<a><b/>")
    recorder = Recorder()
    with pytest.raises(LabelError):
        stream_xml(tmp_path / "a.xml", recorder)
    assert not recorder.events
