from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

import boxmask.atomic_write as module
from boxmask.atomic_write import atomic_write, remove_partial_files
from boxmask.errors import DiskFullError, OutputError
from boxmask.weights import checkpoint
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint


def test_the_file_appears_complete_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "found.json"
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text("old")

    def write_half_and_fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half_and_fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def sync_files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not on this file system")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_files_only)
    with atomic_write(tmp_path / "found.json") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "found.json").read_text() == "whole"


def test_as_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows cannot open folders, and flushes only files that are open for writing."""
    sync, synced = os.fsync, []

    def sync_writable_files(descriptor: int) -> None:
        assert stat.S_ISREG(os.fstat(descriptor).st_mode)
        os.write(descriptor, b"")  # raises unless the file is open for writing
        sync(descriptor)
        synced.append(descriptor)

    monkeypatch.setattr(module, "_CAN_SYNC_FOLDERS", False)
    monkeypatch.setattr(os, "fsync", sync_writable_files)
    path = tmp_path / "found.json"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert len(synced) == 1


def test_only_partial_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".git.old").mkdir()
    (tmp_path / ".found.json.partial").touch()  # a file of the user's
    with atomic_write(tmp_path / "found.json") as temporary:
        temporary.write_text("whole")
        shutil.copytree(temporary.parent, tmp_path / ".found.json.killed.partial")
    remove_partial_files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".git.old", ".found.json.partial", "found.json"}


# ---------------------------------------------------------------- permissions

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no umask")


@pytest.fixture
def umask() -> Iterator[None]:
    """Restores the umask at the end of the test."""
    old = os.umask(0o022)
    yield
    os.umask(old)


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o027, 0o640), (0o077, 0o600)])
def test_the_umask_decides_who_may_read_a_file(tmp_path: Path, umask: None, mask: int, mode: int) -> None:
    os.umask(mask)
    for name in ("found.json", "new"):
        with atomic_write(tmp_path / name) as temporary:
            temporary.touch(0o600)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.json", "new"]


@posix
def test_weights_can_be_read_by_others(tmp_path: Path, umask: None) -> None:
    save_checkpoint(tmp_path / "best.safetensors", {"w": torch.zeros(3)}, CheckpointMetadata("ssd", {}))
    assert stat.S_IMODE((tmp_path / "best.safetensors").stat().st_mode) == 0o644


# ---------------------------------------------------------------- power cuts


@posix
def test_the_folders_of_new_names_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(module, "_sync_folder", synced.append)
    for _ in range(2):
        with atomic_write(tmp_path / "a" / "b" / "found.json") as temporary:
            temporary.touch()
    created = [tmp_path / "a" / "b", tmp_path / "a", tmp_path]
    assert synced == [*created, tmp_path / "a" / "b"]


# ---------------------------------------------------------------- errors


def write_and_raise(path: Path, error: BaseException) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_file(tmp_path: Path, number: int) -> None:
    path = tmp_path / "resume.safetensors"
    path.write_text("old")
    with pytest.raises(
        DiskFullError, match=r"resume\.safetensors: no space left on the disk\. Free some space"
    ):
        write_and_raise(path, OSError(number, os.strerror(number)))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "no permission to write here"),
        (errno.EROFS, "this disk is read-only"),
        (errno.ENAMETOOLONG, "the name is too long for this disk"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_other_errors_of_the_disk_say_why(tmp_path: Path, number: int, reason: str) -> None:
    with pytest.raises(OutputError, match=rf"found\.json: cannot be written \({reason}\)\.") as raised:
        write_and_raise(tmp_path / "found.json", OSError(number, os.strerror(number)))
    assert not isinstance(raised.value, DiskFullError)


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    for path, reason in [
        (tmp_path / "file" / "found.json", "one of its parent folders is a file"),
        (tmp_path / "folder", "there is a folder of this name"),
        (tmp_path / ("n" * 300), "the name is too long for this disk"),
    ]:
        with pytest.raises(OutputError, match=reason), atomic_write(path) as temporary:
            temporary.touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@posix
def test_a_name_as_long_as_the_disk_allows(tmp_path: Path) -> None:
    path = tmp_path / ("가" * 85)  # 255 bytes
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("Error while serializing: I/O error: No space left on device (os error 28)", DiskFullError),
        ("Error while serializing: I/O error: Permission denied (os error 13)", OutputError),
        ("Error while serializing: InvalidTensorView", OutputError),
    ],
)
def test_errors_of_safetensors_are_named_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, error: type[OutputError]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SafetensorError(message)

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(error, match=r"best\.safetensors: ") as raised:
        save_checkpoint(tmp_path / "best.safetensors", {}, CheckpointMetadata("ssd", {}))
    assert type(raised.value) is error
    assert not list(tmp_path.iterdir())
