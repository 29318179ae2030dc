"""Which folders are photos without labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from boxmask.exporting.int8.photos import is_unlabeled


@pytest.mark.parametrize(
    ("folder", "unlabeled"), [(None, True), (".thumbnails", True), ("@eaDir", True), ("cats", False)]
)
def test_folders_for_thumbnails_do_not_count(folder: str | None, unlabeled: bool, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    if folder is not None:
        (tmp_path / folder).mkdir()
    assert is_unlabeled(tmp_path) is unlabeled
