from __future__ import annotations

import json
import os
import stat
import threading
import unicodedata
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from boxmask.errors import DiskFullError, OutputError, UsageError
from boxmask.outputs import (
    begin_job,
    check_replaceable,
    is_output,
    is_unchanged_output,
    note_on_outputs,
    remove_outputs,
    split_outputs,
    write_output,
)
from boxmask.outputs import manifest as manifest_module
from boxmask.outputs.manifest import MANIFEST


def write(path: Path, text: str = "ours") -> Path:
    with write_output(path) as temporary:
        temporary.write_text(text)
    return path


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# ---------------------------------------------------------------- whose file it is


def test_a_written_file_is_an_output_until_somebody_changes_it(tmp_path: Path) -> None:
    file = write(tmp_path / "new" / "found.csv")
    assert is_unchanged_output(file)
    assert is_output(file)
    write(file, "again")
    assert file.read_text() == "again"
    file.write_text("mine!")  # the same size
    assert not is_unchanged_output(file)
    assert not is_output(file)
    with pytest.raises(UsageError, match=r"found\.csv: is not replaced, because boxmask did not write it or"):
        write(file)
    assert file.read_text() == "mine!"


@pytest.mark.parametrize("kind", ["file", "empty file", "folder", "broken link", "link to a file"])
def test_nothing_that_boxmask_did_not_write_is_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jpg"
    if kind == "folder":
        path.mkdir()
    elif kind == "broken link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "link to a file":
        (tmp_path / "mine").write_text("mine")
        path.symlink_to(tmp_path / "mine")
    else:
        path.write_text("" if kind == "empty file" else "mine")
    with pytest.raises(UsageError, match="is not replaced"):
        write(path)
    assert os.path.lexists(path)
    assert kind != "file" or path.read_text() == "mine"


def test_several_files_are_refused_in_one_message(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.jpg" for number in range(8)]
    for file in files:
        file.write_text("mine")
    write(tmp_path / "ours.jpg")
    with pytest.raises(UsageError, match=r"^These 8 files are not replaced, .*4\.jpg and 3 more\. Choose"):
        check_replaceable([*files, tmp_path / "ours.jpg", tmp_path / "new.jpg"])


def test_a_moved_folder_keeps_its_manifest(tmp_path: Path) -> None:
    write(tmp_path / "old" / "found.csv")
    (tmp_path / "old").rename(tmp_path / "moved")
    assert is_unchanged_output(tmp_path / "moved" / "found.csv")
    (tmp_path / "moved" / "found.csv").rename(tmp_path / "moved" / "renamed.csv")
    assert not is_unchanged_output(tmp_path / "moved" / "renamed.csv")


def test_a_name_in_another_unicode_form_is_the_same(tmp_path: Path) -> None:
    file = write(tmp_path / unicodedata.normalize("NFC", "너구리.csv"))
    other = file.rename(tmp_path / unicodedata.normalize("NFD", "너구리.csv"))  # as some disks do
    assert is_unchanged_output(other)


def test_outputs_are_told_apart_and_counted(tmp_path: Path) -> None:
    ours, mine = write(tmp_path / "a.csv"), tmp_path / "b.csv"
    mine.write_text("mine")
    assert split_outputs([mine, ours]) == ([mine], [ours])
    assert note_on_outputs([ours]) == (f"left out: 1 file that boxmask wrote, for example {ours}",)
    assert note_on_outputs([ours, ours])[0].startswith("left out: 2 files that boxmask wrote")
    assert note_on_outputs([]) == ()
    remove_outputs([ours, mine, tmp_path / "none"])
    assert visible(tmp_path) == ["b.csv"]


# ---------------------------------------------------------------- jobs


def test_files_of_an_earlier_job_are_removed(tmp_path: Path) -> None:
    begin_job(tmp_path, [tmp_path / "a.jpg", tmp_path / "labelme" / "a.json", tmp_path / "both.jpg"])
    for name in ("a.jpg", "labelme/a.json", "both.jpg"):
        write(tmp_path / name)
    write(tmp_path / "saved.jpg")  # by itself, not by a job
    (tmp_path / "mine.jpg").write_text("mine")
    (note,) = begin_job(tmp_path, [tmp_path / "b.jpg", tmp_path / "both.jpg"])
    assert note == f"{tmp_path}: removed 2 outputs of an earlier call: a.jpg, labelme/a.json"
    assert visible(tmp_path) == ["labelme", "mine.jpg", "saved.jpg"]
    write(tmp_path / "b.jpg")
    (note,) = begin_job(tmp_path, [])
    assert note.endswith("removed 1 output of an earlier call: b.jpg")
    assert visible(tmp_path) == ["labelme", "mine.jpg", "saved.jpg"]


def test_changed_files_of_an_earlier_job_are_kept_and_reported(tmp_path: Path) -> None:
    begin_job(tmp_path, [tmp_path / "a.json", tmp_path / "b.json"])
    write(tmp_path / "a.json")
    write(tmp_path / "b.json")
    (tmp_path / "a.json").write_text("corrected")
    notes = begin_job(tmp_path, [tmp_path / "c.json"])
    assert [note.removeprefix(f"{tmp_path}: ") for note in notes] == [
        "removed 1 output of an earlier call: b.json",
        "kept 1 output of an earlier call, changed since: a.json",
    ]
    assert (tmp_path / "a.json").read_text() == "corrected"


def test_a_job_is_refused_before_anything_is_removed(tmp_path: Path) -> None:
    begin_job(tmp_path, [tmp_path / "a.jpg"])
    write(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_text("mine")
    with pytest.raises(UsageError, match=r"b\.jpg: is not replaced"):
        begin_job(tmp_path, [tmp_path / "b.jpg"])
    assert visible(tmp_path) == ["a.jpg", "b.jpg"]


def test_an_input_of_the_job_is_not_removed(tmp_path: Path) -> None:
    begin_job(tmp_path, [tmp_path / "a.jpg"])
    write(tmp_path / "a.jpg")
    assert begin_job(tmp_path, [tmp_path / "a.png"], inputs=[tmp_path / "a.jpg"]) == ()
    assert (tmp_path / "a.jpg").is_file()


def test_an_interrupted_job_leaves_only_files_that_are_known(tmp_path: Path) -> None:
    begin_job(tmp_path, [tmp_path / "a.jpg", tmp_path / "b.jpg"])
    write(tmp_path / "a.jpg")

    def stop() -> None:
        with write_output(tmp_path / "b.jpg") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert visible(tmp_path) == ["a.jpg"]
    begin_job(tmp_path, [tmp_path / "c.jpg"])
    assert visible(tmp_path) == []


def test_killed_between_the_record_and_the_rename(tmp_path: Path) -> None:
    """The record comes first; the old file is still known by its own record."""
    file = write(tmp_path / "a.jpg", "old")
    (tmp_path / "content").write_text("new")
    manifest_module.manifest_of(tmp_path).add("a.jpg", tmp_path / "content")
    assert is_unchanged_output(file)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OutputError, match="no permission"):
        begin_job(tmp_path / "out", [])


# ---------------------------------------------------------------- the manifest


@pytest.mark.parametrize(
    "damage",
    [b"\xff\xfe\x00", b"[]", b"{", b'{"file": 3}', b'{"job": "a"}', b'{"job": [1]}', b"[" * 5000, b"null"],
)
def test_damaged_lines_are_passed_over(tmp_path: Path, damage: bytes) -> None:
    first = write(tmp_path / "a.csv")
    with (tmp_path / MANIFEST).open("ab") as file:
        file.write(damage)  # a line that was cut off
    second = write(tmp_path / "b.csv")
    manifest_module._manifest_at.cache_clear()
    assert is_unchanged_output(first)
    assert is_unchanged_output(second)
    begin_job(tmp_path, [])


def test_without_its_manifest_a_file_is_the_users(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv")
    (tmp_path / MANIFEST).unlink()
    assert not is_unchanged_output(file)


def test_many_files_are_read_and_recorded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest grows by a line per file, and each line is read once."""
    lines = 0
    take_in = manifest_module.Manifest._add_line

    def counted(self: manifest_module.Manifest, line: bytes) -> None:
        nonlocal lines
        lines += 1
        take_in(self, line)

    monkeypatch.setattr(manifest_module.Manifest, "_add_line", counted)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    files = [tmp_path / f"{number}.csv" for number in range(200)]
    for _ in range(2):
        begin_job(tmp_path, files)
        for file in files:
            write(file)
    assert lines < 1000
    assert len((tmp_path / MANIFEST).read_text().splitlines()) == 201


def test_threads_write_into_one_folder(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.csv" for number in range(40)]
    threads = [threading.Thread(target=lambda part=files[k::4]: [write(f) for f in part]) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    manifest_module._manifest_at.cache_clear()
    assert all(map(is_unchanged_output, files))
    for line in (tmp_path / MANIFEST).read_text().splitlines():
        json.loads(line)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a.csv", "old")
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:5]))
    with pytest.raises(DiskFullError, match="no space left on the disk"):
        write(file, "new")
    monkeypatch.undo()
    assert file.read_text() == "old"
    assert is_unchanged_output(file)
    write(file, "new")
    assert is_unchanged_output(file)


# ---------------------------------------------------------------- a user and boxmask in one folder


class UserAndBoxmask(RuleBasedStateMachine):
    """In whatever order both write, no file of the user's is lost."""

    names = st.sampled_from(["a", "b", "c"])
    contents = st.sampled_from(["1", "2", "33"])

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name)
        self.of_user: dict[str, str] = {}

    def teardown(self) -> None:
        self.scratch.cleanup()

    @rule(name=names, content=contents)
    def user_writes(self, name: str, content: str) -> None:
        self.of_user[name] = f"user {content}"
        (self.folder / name).write_text(self.of_user[name])

    @rule(name=names)
    def user_removes(self, name: str) -> None:
        self.of_user.pop(name, None)
        (self.folder / name).unlink(missing_ok=True)

    @rule(name=names, content=contents)
    def boxmask_writes(self, name: str, content: str) -> None:
        if name in self.of_user:
            with pytest.raises(UsageError):
                write(self.folder / name, content)
        else:
            write(self.folder / name, content)

    @rule(names=st.lists(names, unique=True))
    def job_begins(self, names: list[str]) -> None:
        if self.of_user.keys() & set(names):
            with pytest.raises(UsageError):
                begin_job(self.folder, [self.folder / name for name in names])
        else:
            begin_job(self.folder, [self.folder / name for name in names])

    @invariant()
    def files_of_the_user_are_there(self) -> None:
        for name, content in self.of_user.items():
            assert (self.folder / name).read_text() == content


TestUserAndBoxmask = UserAndBoxmask.TestCase
TestUserAndBoxmask.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
