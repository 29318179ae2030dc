from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _separate_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))


def test_the_recall_on_labeled_photos_is_printed_and_written(
    boxmask: Program, here: Path, demo: Path
) -> None:
    completed = boxmask("proposals", demo, "--split", "test", "--mode", "single", "--json", "metrics.json")
    assert completed.status == 0
    assert "MABO" in completed.out
    metrics = json.loads((here / "metrics.json").read_text())
    assert metrics["photos"] == 4
    assert 0 < metrics["recall_70"] <= metrics["recall_50"] <= 1
    again = boxmask("proposals", demo, "--split", "test", "--mode", "single", "--json", "-")
    assert json.loads(again.out) == metrics


def test_photos_are_drawn(boxmask: Program, here: Path, demo: Path) -> None:
    completed = boxmask("proposals", demo / "images" / "train-00001.jpg", "--mode", "single", "--out", "seen")
    assert (completed.status, completed.out) == (0, "1 photo\nseen\n")
    assert [file.name for file in (here / "seen").glob("*.jpg")] == ["train-00001.jpg"]


def test_limit_is_the_maximum_number_of_proposals(boxmask: Program, demo: Path) -> None:
    completed = boxmask(
        "proposals", demo, "--split", "test", "--mode", "single", "--limit", "5", "--json", "-"
    )
    assert json.loads(completed.out)["mean_proposals"] <= 5


def test_the_papers_settings_have_no_limit(boxmask: Program, demo: Path) -> None:
    options = [("--limit", "100000"), (), ("--paper", "--limit", "100000"), ("--paper",)]
    completed = [boxmask("proposals", demo, "--split", "test", *flags, "--json", "-") for flags in options]
    counts = [json.loads(each.out)["mean_proposals"] for each in completed]
    ours_unlimited, ours, paper_unlimited, paper = counts
    assert ours <= min(ours_unlimited, 1700)
    assert paper == paper_unlimited != ours


def test_a_missing_photo_is_an_error(refused: Refused) -> None:
    assert "nowhere.jpg" in refused(1, "proposals", "nowhere.jpg")


def test_the_proposals_of_an_rpn_are_evaluated_and_drawn(
    boxmask: Program, here: Path, demo: Path, trained: Path
) -> None:
    rpn = ("--method", "rpn", "--run", trained)
    completed = boxmask("proposals", demo, *rpn, "--split", "test", "--limit", "30", "--json", "-")
    assert 0 < json.loads(completed.out)["mean_proposals"] <= 30
    completed = boxmask("proposals", demo / "images" / "train-00001.jpg", *rpn, "--out", "seen")
    assert (completed.status, completed.out) == (0, "1 photo\nseen\n")
    assert [file.name for file in (here / "seen").glob("*.jpg")] == ["train-00001.jpg"]


def test_only_the_rpn_takes_a_run(refused: Refused, demo: Path, trained: Path) -> None:
    assert "--method rpn: give the run of a Faster R-CNN with --run RUN" in refused(
        2, "proposals", demo, "--method", "rpn"
    )
    assert "--run is for --method rpn" in refused(2, "proposals", demo, "--run", trained)


@pytest.mark.parametrize("flags", [("--split", "test"), ("--json", "-")])
def test_flags_for_labels_are_for_data_sets(refused: Refused, demo: Path, flags: tuple[str, str]) -> None:
    message = refused(2, "proposals", demo / "images" / "train-00001.jpg", *flags)
    assert "--split and --json are for labeled data sets, and these are photos" in message


def test_a_photo_that_cannot_be_read_is_left_out(boxmask: Program, here: Path, demo: Path) -> None:
    shutil.copytree(demo, here / "data")
    photos = sorted((here / "data" / "images").glob("test-*.jpg"))
    photos[1].write_bytes(photos[1].read_bytes()[:2000])
    flags = ("--mode", "single", "--out", "seen")
    completed = boxmask("proposals", *photos, *flags)
    assert (completed.status, completed.out) == (1, "3 photos\nseen\n")
    assert f"{photos[1].name}: this photo is damaged or truncated" in completed.err
    drawn = [photo.name for photo in photos if photo != photos[1]]
    assert sorted(file.name for file in (here / "seen").glob("*.jpg")) == drawn
    labeled = boxmask("proposals", "data", "--split", "test", *flags, "--json", "metrics.json")
    assert labeled.status == 1
    assert json.loads((here / "metrics.json").read_text())["photos"] == 3
    assert sorted(file.name for file in (here / "seen").glob("*.jpg")) == drawn
    missing = photos.pop(2)
    missing.unlink()
    labeled = boxmask("proposals", "data", "--split", "test", "--mode", "single", "--json", "metrics.json")
    assert labeled.status == 1
    assert f"{missing.name}: this photo does not exist" in labeled.err
    assert json.loads((here / "metrics.json").read_text())["photos"] == 2
    for photo in photos:
        photo.write_bytes(photo.read_bytes()[:2000])
    assert boxmask("proposals", "data", "--split", "test", "--mode", "single").status == 1


def test_files_of_the_users_are_not_replaced(boxmask: Program, here: Path, demo: Path) -> None:
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    (here / "seen").mkdir()
    (here / "seen" / photo.name).write_bytes(b"mine")
    (here / "metrics.json").write_bytes(b"mine")
    assert boxmask("proposals", photo, "--mode", "single", "--out", "seen").status == 2
    for flags in (("--json", "metrics.json"), ("--out", "seen")):
        assert boxmask("proposals", demo, "--split", "test", "--mode", "single", *flags).status == 2
    assert (here / "seen" / photo.name).read_bytes() == b"mine"
