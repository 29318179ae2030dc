"""State dicts from files of other programs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from boxmask.errors import WeightsError
from boxmask.weights.state_dict import read_state_dict

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}


def assert_state(state: dict[str, Tensor]) -> None:
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[key], STATE[key]) for key in STATE)


@pytest.mark.parametrize("suffix", ["pth", "pt", "bin"])
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files(tmp_path: Path, suffix: str, zipped: bool) -> None:
    path = tmp_path / f"weights.{suffix}"
    torch.save(STATE, path, _use_new_zipfile_serialization=zipped)
    assert_state(read_state_dict(path))


def test_safetensors_files(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "weights.safetensors")
    assert_state(read_state_dict(tmp_path / "weights.safetensors"))


def test_a_state_dict_within_a_checkpoint(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "epoch": 3}, tmp_path / "checkpoint.pth")
    assert_state(read_state_dict(tmp_path / "checkpoint.pth"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: no such file of weights"):
        read_state_dict(tmp_path / "gone.pth")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights", bytes(range(256)), b"\x80\x02]q\x00."])
def test_files_of_other_formats(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"weights\.{suffix}"):
        read_state_dict(path)


@pytest.mark.parametrize("suffix", ["pth", "old.pth", "safetensors"])
def test_a_file_truncated_at_any_length(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights.{suffix}"
    if suffix == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=suffix == "pth")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match="cannot be read"):
            read_state_dict(path)


class Malicious:
    """Creates a folder when unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_no_code_in_a_file_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    torch.save({"a": Malicious(trap)}, tmp_path / "zipped.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"a": Malicious(trap)}, protocol=2))
    for name in ("zipped.pth", "plain.pth"):
        with pytest.raises(WeightsError, match=name):
            read_state_dict(tmp_path / name)
    assert not trap.exists()


@pytest.mark.parametrize("content", [[torch.ones(2)], torch.ones(2), {"a": 3}, {"a": {"b": torch.ones(2)}}])
def test_files_without_tensors_by_name(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"odd\.pth: expected tensors by name, found"):
        read_state_dict(tmp_path / "odd.pth")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0JFIF", "a photo (JPEG)"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"\0\0\0\x18ftypheic", "a photo or video"),
        (b'{"a": 1}', "a JSON file"),
        (b"<html><body>404</body></html>", "an XML or HTML file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a text file"),
        ("\ufeff[1, 2]".encode(), "a JSON file"),
    ],
)
@pytest.mark.parametrize("suffix", ["pth", "safetensors", "bin"])
def test_files_of_another_kind_are_named(tmp_path: Path, start: bytes, kind: str, suffix: str) -> None:
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(start + b" " * 50)
    with pytest.raises(WeightsError) as raised:
        read_state_dict(path)
    assert f"this is {kind}" in str(raised.value)
    assert "not a file of weights. Give a file of weights" in str(raised.value)


def test_the_message_is_one_line_without_torchs_advice(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(b"\x80\x02}no pickle")
    with pytest.raises(WeightsError, match="it is damaged, or holds more than tensors") as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
