from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.results.output_folder import check_not_overwriting, prepare_folder


def test_overwriting_a_photo_is_refused(tmp_path: Path) -> None:
    photos = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    check_not_overwriting([tmp_path / "out" / "a.jpg"], photos)
    with pytest.raises(UsageError, match=r"a\.jpg: would overwrite the photo itself"):
        check_not_overwriting([tmp_path / "out" / ".." / "a.jpg"], photos)


def test_a_folder_is_prepared_once_all_is_checked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file: expected a folder for the results, found a file"):
        prepare_folder(tmp_path / "file", [], [])
    (tmp_path / "mine.jpg").touch()
    with pytest.raises(UsageError, match=r"mine\.jpg: is not replaced"):
        prepare_folder(tmp_path, [tmp_path / "mine.jpg"], [])
    assert prepare_folder(tmp_path / "new", [tmp_path / "new" / "a.jpg"], [tmp_path / "a.jpg"]) == ()
    assert (tmp_path / "new").is_dir()
