"""A folder of several trainings that go on where they were stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from boxmask.errors import OutputError, UsageError
from boxmask.runs import work_folder
from boxmask.runs.work_folder import WorkFolder, check_settings, claim_folder


@dataclass(frozen=True)
class Folder(WorkFolder):
    noun: ClassVar[str] = "comparison"


def claim(path: Path) -> None:
    with claim_folder(Folder(path)):
        pass


def test_one_process_works_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_folder, "WAIT_SECONDS", 0.1)
    message = "another process is at work on this comparison"
    with claim_folder(Folder(tmp_path / "out")), pytest.raises(UsageError, match=message):
        claim(tmp_path / "out")
    claim(tmp_path / "out")


def test_a_wrong_command_leaves_no_folder(tmp_path: Path) -> None:
    claim(tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


def test_a_wrong_command_leaves_an_old_folder_as_it_was(tmp_path: Path) -> None:
    claim(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["letter.txt", "split.json"])
def test_a_folder_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"files of something else, such as {name}"):
        claim(tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        claim(tmp_path / "file" / "out")


def test_other_settings_are_refused(tmp_path: Path) -> None:
    with claim_folder(Folder(tmp_path / "out")) as folder:
        check_settings(folder, {"size": 320, "scale": (0.5, 2.0)})
        check_settings(folder, {"size": 320, "scale": (0.5, 2.0)})
        message = r"this comparison began with other settings or labels \(size: 320 there, 256 here"
        with pytest.raises(UsageError, match=message):
            check_settings(folder, {"size": 256, "scale": (0.5, 2.0)})
    assert folder.settings_file.is_file()


def test_damaged_settings_are_refused(tmp_path: Path) -> None:
    with claim_folder(Folder(tmp_path / "out")) as folder:
        folder.settings_file.write_text("{")
        with pytest.raises(UsageError, match="these are not the settings of a comparison"):
            check_settings(folder, {})
