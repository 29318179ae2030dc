"""boxmask check."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Boxmask = Callable[..., "Completed"]  # type: ignore[name-defined]  # noqa: F821 (of conftest.py)


@pytest.fixture
def damaged(demo: Path, tmp_path: Path) -> Path:
    """Labels in which the first box has no width."""
    document = json.loads((demo / "instances_train.json").read_text())
    document["annotations"][0]["bbox"][2] = 0
    file = tmp_path / "damaged" / "labels.json"
    file.parent.mkdir()
    file.write_text(json.dumps(document, indent=1))
    (file.parent / "images").symlink_to(demo / "images")
    return file


def test_sound_labels_end_with_0(boxmask: Boxmask, demo: Path) -> None:
    done = boxmask("check", demo, "--labels-only")
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith(f"{demo} (COCO JSON): 24 photos")
    assert ": 0 errors" in done.out


def test_labels_that_cannot_be_read_end_with_1(boxmask: Boxmask, here: Path) -> None:
    (here / "labels.json").write_text('{"images": [')
    done = boxmask("check", here, "--labels-only", "--json", "-")
    assert done.status == 1
    assert json.loads(done.out)["totals"]["errors"] >= 1


def test_a_folder_without_labels_ends_with_1(boxmask: Boxmask, here: Path) -> None:
    (here / "notes.txt").write_text("nothing")
    done = boxmask("check", here)
    assert done.status == 1
    assert "[data-unreadable]" in done.out


def test_what_a_data_set_lacks(boxmask: Boxmask, demo: Path, here: Path) -> None:
    (here / "empty").mkdir()
    done = boxmask("check", "empty")
    assert done.status == 1
    assert "empty: no labels found: there are no files in it. Give the folder that holds photos" in done.out
    photo = next((demo / "images").rglob("*.jpg"))
    shutil.copy(photo, here / "empty" / "a.jpg")
    done = boxmask("check", "empty")
    assert done.status == 0
    assert "empty: 1 photo, and no labels in a format that boxmask reads" in done.out
    (here / "empty" / "a.json").write_text('{"color": 1}')
    done = boxmask("check", "empty")
    assert done.status == 1
    assert "no labels found (1 .jpg, 1 .json). Give the folder" in done.out
    assert "\n    COCO JSON" in done.out
    assert "\n    class folders" in done.out
    (here / "empty" / "a.json").write_text('{"images": [')
    done = boxmask("check", "empty")
    assert done.status == 1
    assert done.out.count("empty/a.json") == 1
    assert "[data-unreadable]" not in done.out


def test_a_missing_folder_ends_with_1(boxmask: Boxmask) -> None:
    done = boxmask("check", "nowhere")
    assert done.status == 1
    assert "nowhere: no such file or folder" in done.err


def test_page_and_json_are_written(boxmask: Boxmask, demo: Path, here: Path) -> None:
    done = boxmask("check", demo, "--labels-only", "--html", "report.html", "--json", "report.json")
    assert done.status == 0
    assert "page: report.html" in done.err
    assert (here / "report.html").read_text().startswith("<!DOCTYPE html>")
    content = json.loads((here / "report.json").read_text())
    assert content["totals"]["photos"] == 24
    assert [row["name"] for row in content["summary"]["classes"]][:2] == ["zero", "one"]


def test_json_on_stdout_is_all_of_stdout(boxmask: Boxmask, demo: Path) -> None:
    assert json.loads(boxmask("check", demo, "--labels-only", "--json", "-").out)["version"] == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--labels-only", "--write-split", "split.json"), "--write-split needs the photos"),
        (("--group-by", "folder"), "--write-split FILE"),
        (("--fix",), "--out DIR"),
        (("--out", "mended"), "Add --fix"),
        (("--fix", "--out", "mended", "--labels-only"), "--fix needs the photos"),
        (("--fix", "--out", "mended", "--classes", "one"), "boxmask convert --classes"),
        (("--seed", "0"), "--write-split FILE"),
        (("--photos", "copy"), "Add --fix"),
        (("--device", "cpu"), "Give its RUN"),
    ],
)
def test_wrong_usage_ends_with_2(boxmask: Boxmask, demo: Path, flags: tuple[str, ...], message: str) -> None:
    done = boxmask("check", demo, *flags)
    assert done.status == 2
    assert message in done.err


def test_files_of_the_user_are_not_replaced(boxmask: Boxmask, demo: Path, here: Path) -> None:
    (here / "mine.html").write_text("mine")
    done = boxmask("check", demo, "--html", "mine.html")
    assert done.status == 2
    assert (here / "mine.html").read_text() == "mine"


def test_results_in_the_data_set_are_no_labels(boxmask: Boxmask, damaged: Path) -> None:
    folder = damaged.parent
    first = boxmask("check", folder, "--labels-only", "--json", folder / "report.json")
    again = boxmask("check", folder, "--labels-only")
    assert again.out == first.out


def test_an_interrupt_leaves_nothing(
    boxmask: Boxmask, demo: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("boxmask.doctor.check.check_photo_records", interrupt)
    done = boxmask("check", demo, "--html", "report.html", "--fix", "--out", "mended")
    assert done.status == 130
    assert "Traceback" not in done.err
    assert list(here.iterdir()) == []


def test_a_mended_copy_is_written_and_checked(boxmask: Boxmask, damaged: Path, here: Path) -> None:
    done = boxmask("check", damaged.parent, "--fix", "--out", "mended")
    assert done.status == 0
    lines = done.err.splitlines()
    assert "mended copy: mended" in lines
    assert "  1 change: mended/changes.txt" in lines
    assert "box-empty" in (here / "mended" / "changes.txt").read_text()
    again = boxmask("check", "mended", "--fix", "--out", "again")
    assert "  0 changes: again/changes.txt" in again.err.splitlines()


def test_json_on_stdout_is_all_of_stdout_with_a_mended_copy(boxmask: Boxmask, damaged: Path) -> None:
    done = boxmask("check", damaged.parent, "--fix", "--out", "mended", "--json", "-")
    assert json.loads(done.out)["version"] == 1


def test_a_run_checks_the_labels(boxmask: Boxmask, demo: Path, trained: Path, here: Path) -> None:
    done = boxmask("check", demo, trained, "--json", "report.json", "--html", "report.html")
    assert done.status == 0
    assert "[model-seen-photos]" in done.out
    assert "18 of 24 photos are in train, 2 in val, 4 in test" in (here / "report.html").read_text()


def test_a_run_that_does_not_fit_is_refused_at_once(
    boxmask: Boxmask, label_maps: Path, demo: Path, trained: Path, here: Path
) -> None:
    done = boxmask("check", label_maps, trained)
    assert done.status == 2
    assert "label maps are not compared with a model" in done.err
    assert boxmask("check", demo, trained, "--labels-only").status == 2
    assert boxmask("check", demo, here / "nowhere").status == 1


def test_the_text_ends_with_the_number_of_findings_that_fix_mends(
    boxmask: Boxmask, damaged: Path, here: Path
) -> None:
    done = boxmask("check", damaged, "--labels-only")
    last = done.out.splitlines()[-1]
    assert last == f"1 finding can be mended in a copy: boxmask check {damaged} --fix --out DIR"
    done = boxmask("check", damaged, "--fix", "--out", here / "mended")
    assert "can be mended" not in done.out
    assert "1 change:" in done.err


def test_the_text_does_not_suggest_a_copy_that_fix_refuses(boxmask: Boxmask, damaged: Path) -> None:
    (damaged.parent / "images").unlink()
    done = boxmask("check", damaged, "--labels-only")
    assert "[box-empty]" in done.out
    assert "can be mended" not in done.out
