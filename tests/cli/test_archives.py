"""An archive may stand wherever a folder of labels may."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Boxmask = Callable[..., "Completed"]  # type: ignore[name-defined]  # noqa: F821 (of conftest.py)


@pytest.fixture
def archive(boxes_only: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo data set as labels.zip in the current folder."""
    monkeypatch.setenv("BOXMASK_CACHE", str(here.parent / "cache"))
    return Path(shutil.make_archive(str(here / "labels"), "zip", boxes_only))


def test_check_and_fix(boxmask: Boxmask, archive: Path, here: Path) -> None:
    done = boxmask("check", archive.name, "--labels-only")
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith("labels.zip (COCO JSON): 24 photos")
    done = boxmask("check", archive.name, "--fix", "--out", "mended", "--photos", "link")
    assert done.status == 0
    assert (here / "mended" / "changes.txt").is_file()


def test_train_and_evaluate(
    boxmask: Boxmask, archive: Path, here: Path, quick_flags: tuple[str, ...]
) -> None:
    done = boxmask("train", archive.name, *quick_flags, "--out", "run")
    assert done.status == 0
    assert "18 train, 2 val, 4 test photos" in done.err
    shutil.rmtree(here.parent / "cache")  # it is unpacked again
    done = boxmask("evaluate", "run", archive.name, "--json", "-")
    assert done.status == 0
    assert json.loads(done.out)["images"] == 4


def test_an_archive_in_a_folder_of_its_own(boxmask: Boxmask, archive: Path, here: Path) -> None:
    (here / "downloads").mkdir()
    archive.rename(here / "downloads" / archive.name)
    done = boxmask("check", "downloads")
    assert done.status == 1
    assert "this folder holds an archive and nothing else. Give the archive: downloads/labels.zip" in done.out
    done = boxmask("train", "downloads")
    assert done.status == 1
    assert "Give the archive: downloads/labels.zip" in done.err
