"""Boxes in files: read as written, and damaged files are ValueErrors only."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boxmask.pipeline.stored_boxes import read_boxes, write_boxes

HEADER = b"\x93NUMPY\x01\x00v\x00{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n"


@pytest.mark.parametrize("count", [0, 1, 2000])
def test_boxes_are_read_as_written_and_by_numpy(tmp_path: Path, count: int) -> None:
    boxes = torch.rand(count, 4)
    write_boxes(tmp_path / "new" / "a.npy", boxes)
    assert torch.equal(read_boxes(tmp_path / "new" / "a.npy"), boxes)
    assert np.array_equal(np.load(tmp_path / "new" / "a.npy"), boxes.numpy())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "header"),
        (bytes(200), "header"),
        (HEADER % (b"<f4", b"(999999999, 4)"), "bytes"),
        (HEADER % (b"<f4", b"(1, 4)") + b"\xff" * 16, "finite"),
        (HEADER % (b"|O", b"(1, 4)") + bytes(16), "header"),
    ],
)
def test_damaged_files_are_value_errors(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_boxes(tmp_path / "a.npy")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_boxes(tmp_path / "a.npy")


@given(st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_changed_bytes_give_boxes_or_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, start: int, change: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.npy"
    write_boxes(path, torch.ones(5, 4))
    content = path.read_bytes()
    path.write_bytes(content[:start] + change + content[start + len(change) :])
    try:
        boxes = read_boxes(path)
    except ValueError:
        return
    assert boxes.isfinite().all()
