from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.results.paths import check_not_overwriting, picture_names


def test_names_follow_the_photos_and_are_unique() -> None:
    photos = [Path(name) for name in ("a/x.jpg", "b/x.jpg", "x-2.jpg", "c/x.png", "c/x-2.jpg", "y.jpg")]
    assert picture_names(photos) == ["x", "x-3", "x-2", "x-4", "x-2-2", "y"]


def test_overwriting_a_photo_is_refused(tmp_path: Path) -> None:
    photos = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    check_not_overwriting([tmp_path / "out" / "a.jpg"], photos)
    with pytest.raises(UsageError, match=r"a\.jpg: would overwrite the photo itself"):
        check_not_overwriting([tmp_path / "out" / ".." / "a.jpg"], photos)
