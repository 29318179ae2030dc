"""Files in the place of weights are named; the weights themselves are never taken for something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boxmask.weights.file_description import describe_file


@pytest.mark.parametrize("length", [128, 0x4D42, 0x5025, 0xD8FF, 0x4947, 300, 0x10080])
def test_a_checkpoint_whose_header_has_any_length_is_one(tmp_path: Path, length: int) -> None:
    """The length of the header comes first: 128 begins as a pickle does, 0x4D42 as a BMP."""
    header = json.dumps({"__metadata__": {"a": "b"}}).encode().ljust(length)
    file = tmp_path / "a.safetensors"
    file.write_bytes(length.to_bytes(8, "little") + header)
    assert describe_file(file) == ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x80\x02}q\x00.", "a pickle, as torch.save writes"),
        (b"PK\x03\x04" + bytes(20), "a zip archive, as torch.save writes"),
        (b'{"a": {"b": 1}}', "a JSON file"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "a photo (JPEG)"),
        (b"", ""),
        (bytes(100), ""),
    ],
)
def test_other_files_are_named(tmp_path: Path, content: bytes, kind: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(content)
    assert describe_file(file) == kind
