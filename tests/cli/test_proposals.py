from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))


def test_labeled_photos_are_judged(boxmask: Program, here: Path, demo: Path) -> None:
    ended = boxmask("proposals", demo, "--split", "test", "--mode", "single", "--json", "figures.json")
    assert ended.status == 0
    assert "MABO" in ended.out
    figures = json.loads((here / "figures.json").read_text())
    assert figures["photos"] == 4
    assert 0 < figures["recall_70"] <= figures["recall_50"] <= 1
    again = boxmask("proposals", demo, "--split", "test", "--mode", "single", "--json", "-")
    assert json.loads(again.out) == figures


def test_photos_are_drawn(boxmask: Program, here: Path, demo: Path) -> None:
    ended = boxmask("proposals", demo / "images" / "train-00001.jpg", "--mode", "single", "--out", "seen")
    assert (ended.status, ended.out.strip()) == (0, "seen")
    assert [file.name for file in (here / "seen").iterdir()] == ["train-00001.jpg"]


def test_a_limit_keeps_so_many(boxmask: Program, demo: Path) -> None:
    ended = boxmask("proposals", demo, "--split", "test", "--mode", "single", "--limit", "5", "--json", "-")
    assert json.loads(ended.out)["mean_proposals"] <= 5


def test_a_mode_keeps_its_limit_and_the_papers_has_none(boxmask: Program, demo: Path) -> None:
    ways = [("--limit", "100000"), (), ("--paper", "--limit", "100000"), ("--paper",)]
    ended = [boxmask("proposals", demo, "--split", "test", *way, "--json", "-") for way in ways]
    unlimited, ours, _, papers = counts = [json.loads(one.out)["mean_proposals"] for one in ended]
    assert ours <= min(unlimited, 1700)
    assert papers == counts[2] != ours


def test_photos_that_are_not_there(refused: Refused) -> None:
    assert "nowhere.jpg" in refused(1, "proposals", "nowhere.jpg")


def test_an_rpns_proposals_are_judged_and_drawn(
    boxmask: Program, here: Path, demo: Path, trained: Path
) -> None:
    rpn = ("--method", "rpn", "--run", trained)
    ended = boxmask("proposals", demo, *rpn, "--split", "test", "--limit", "30", "--json", "-")
    assert 0 < json.loads(ended.out)["mean_proposals"] <= 30
    ended = boxmask("proposals", demo / "images" / "train-00001.jpg", *rpn, "--out", "seen")
    assert (ended.status, ended.out.strip()) == (0, "seen")
    assert [file.name for file in (here / "seen").iterdir()] == ["train-00001.jpg"]


def test_an_rpn_needs_a_run_and_a_search_has_none(refused: Refused, demo: Path, trained: Path) -> None:
    assert "say which Faster R-CNN's with --run RUN" in refused(2, "proposals", demo, "--method", "rpn")
    assert "--run is for --method rpn" in refused(2, "proposals", demo, "--run", trained)
