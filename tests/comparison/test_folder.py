"""The folder of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.comparison.folder import check_settings, claim_comparison
from boxmask.errors import UsageError


def claim(folder: Path) -> None:
    with claim_comparison(folder):
        pass


def test_one_process_works_in_a_folder(tmp_path: Path) -> None:
    with claim_comparison(tmp_path / "out"), pytest.raises(UsageError, match="another process is comparing"):
        claim(tmp_path / "out")
    claim(tmp_path / "out")


def test_a_wrong_command_leaves_no_folder(tmp_path: Path) -> None:
    claim(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"files of something else, such as letter\.txt"):
        claim(tmp_path)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    with claim_comparison(tmp_path / "out") as folder:
        check_settings(folder, {"size": 320, "scale": (0.5, 2.0)})
        check_settings(folder, {"size": 320, "scale": (0.5, 2.0)})
        with pytest.raises(UsageError, match="size: 320 there, 256 here"):
            check_settings(folder, {"size": 256, "scale": (0.5, 2.0)})


def test_damaged_settings_are_refused(tmp_path: Path) -> None:
    with claim_comparison(tmp_path / "out") as folder:
        folder.settings_file.write_text("{")
        with pytest.raises(UsageError, match="these are not the settings of a comparison"):
            check_settings(folder, {})
