from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

import boxmask.atomic_write as module
from boxmask.atomic_write import atomic_write, remove_partial_files


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
