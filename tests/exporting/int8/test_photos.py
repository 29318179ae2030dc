"""Which folders are photos without labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxmask.errors import LabelError
from boxmask.exporting.int8 import photos
from boxmask.exporting.int8.photos import find_calibration_photos, is_unlabeled


@pytest.mark.parametrize(
    ("folder", "unlabeled"), [(None, True), (".thumbnails", True), ("@eaDir", True), ("cats", False)]
)
def test_folders_for_thumbnails_do_not_count(folder: str | None, unlabeled: bool, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    if folder is not None:
        (tmp_path / folder).mkdir()
    assert is_unlabeled(tmp_path) is unlabeled


def test_an_error_of_the_labels_is_not_taken_for_a_missing_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Task:
        def read_split(self, source: Path, data: Path, split: str, options: object) -> list[str]:
            if split == "val":
                raise LabelError("the run's split file is damaged")
            return ["a.jpg", "b.jpg"]

    monkeypatch.setattr(photos, "task_of", lambda model: Task())
    (tmp_path / "cats").mkdir()
    with pytest.raises(LabelError, match="split file is damaged"):
        find_calibration_photos(tmp_path, None, tmp_path)  # type: ignore[arg-type]
