"""The photos that tasks of Label Studio name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.serving.conftest import photo

from boxmask.serving.errors import RequestError
from boxmask.serving.label_studio.photos import TaskPhotos


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("twice.png", "photo-ambiguous"),
        ("nothing.png", "photo-missing"),
        ("no\0path.png", "photo-missing"),
        ("x" * 5000 + ".png", "photo-missing"),
    ],
)
def test_what_is_wrong_with_a_name(tmp_path: Path, name: str, code: str) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twice.png").write_bytes(photo())
    with pytest.raises(RequestError) as error:
        TaskPhotos(tmp_path, 10_000).read({"image": name}, "image")
    assert error.value.code == code
