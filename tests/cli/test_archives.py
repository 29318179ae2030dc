"""An archive may stand wherever a folder of labels may."""

from __future__ import annotations

import json
import shutil
import zipfile
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
    assert "on labels.zip: 18 train, 2 val, 4 test photos" in done.err
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


def test_files_in_an_archive_are_named_as_its_members(boxmask: Boxmask, boxes_only: Path, here: Path) -> None:
    root = Path(shutil.copytree(boxes_only, here.parent / "damaged"))
    labels = json.loads((root / "instances_train.json").read_text())
    labels["annotations"][0]["bbox"][2] = 0
    (root / "instances_train.json").write_text(json.dumps(labels))
    next((root / "images").glob("train*.jpg")).write_bytes(b"no photo")
    (here / "sets").mkdir()
    archive = shutil.make_archive(str(here / "sets" / "cats"), "zip", root)
    done = boxmask("check", archive, "--json", "report.json", "--html", "report.html")
    assert done.status == 1
    assert "\n  sets/cats.zip/instances_train.json: annotations[0]" in done.out
    assert "\n  sets/cats.zip/images/" in done.out
    page, report = (here / "report.html").read_text(), json.loads((here / "report.json").read_text())
    assert "sets/cats.zip/instances_train.json" in {finding["file"] for finding in report["findings"]}
    findings = json.dumps(report["findings"])
    failed = boxmask("train", archive, "--out", "run")
    assert failed.status == 1
    assert "sets/cats.zip/images/" in failed.err
    for text in (done.out, page, findings, failed.err):
        assert "/cache/" not in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "set.7z",
            b"7z\xbc\xaf",
            "boxmask unpacks .zip and .tar archives, but no .7z files. Unpack",
        ),
        ("set.rar", b"Rar!", "boxmask unpacks .zip and .tar archives, but no .rar files. Unpack"),
        ("set.zip", b"PK\x03\x04", "this file is damaged, or is no archive. Download it again."),
        ("set.zip", b"text", "this file is damaged, or is no archive. Download it again."),
    ],
)
def test_files_that_cannot_be_unpacked(
    boxmask: Boxmask, here: Path, name: str, content: bytes, message: str
) -> None:
    (here / name).write_bytes(content)
    for arguments in (
        ("check", name),
        ("train", name),
        ("train", name, "--model", "classifier"),
        ("train", name, "--model", "unet"),
        ("convert", name, "--to", "coco", "--out", "out/coco"),
    ):
        done = boxmask(*arguments)
        assert done.status == 1, arguments
        assert f"{name}: {message}" in done.out + done.err, arguments
        assert (done.out + done.err).count(message) == 1


def test_an_archive_in_an_archive(boxmask: Boxmask, archive: Path, here: Path) -> None:
    with zipfile.ZipFile(here / "outer.zip", "w") as outer:
        outer.write(archive, "inner.zip")
    done = boxmask("check", "outer.zip")
    assert done.status == 1
    assert "outer.zip: this archive holds other archives and nothing else (inner.zip). Unpack it" in done.out
