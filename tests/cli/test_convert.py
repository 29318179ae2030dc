"""boxmask convert."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import boxmask as package
from boxmask.data.formats.table import WRITERS


def test_it_prints_the_folder(boxmask: Callable, demo: Path, here: Path) -> None:
    completed = boxmask("convert", demo, "--to", "coco", "--out", "out")
    assert completed.status == 0
    assert completed.out == "out\n"
    assert completed.err.endswith(" objects\n")
    assert (here / "out" / "conversion.txt").is_file()


def test_the_help_names_all_formats(boxmask: Callable) -> None:
    text = " ".join(boxmask("convert", "--help").out.replace("│", " ").split())
    assert all(writer.NAME in text for writer in WRITERS)


def test_wrong_usage(refused: Callable[..., str], demo: Path, here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "a.txt").touch()
    assert "expected one of" in refused(2, "convert", demo, "--to", "coko", "--out", "out")
    assert "this folder is not empty" in refused(2, "convert", demo, "--to", "coco", "--out", "mine")
    assert "no such file or folder" in refused(1, "convert", "gone", "--to", "coco", "--out", "out")


def test_an_interrupt_leaves_nothing(
    boxmask: Callable, demo: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupt)
    completed = boxmask("convert", demo, "--to", "coco", "--out", "out", "--photos", "link")
    assert completed.status == 130
    assert list(here.iterdir()) == []


def test_in_python(demo: Path, tmp_path: Path) -> None:
    conversion = package.convert(str(demo), "coco", tmp_path / "out")
    assert conversion.path == tmp_path / "out"
    assert conversion.num_photos == 24
