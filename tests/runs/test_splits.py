"""Whatever a set's labels are, a run is judged by the photos that it was not trained on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError
from boxmask.runs.splits import chosen_photos

READERS: dict[str, Callable[[Path], Any]] = {
    "boxes": read_unsplit_detection,
    "pixels": read_unsplit_segmentation,
}


@pytest.fixture(params=READERS)
def unsplit(request: pytest.FixtureRequest, demo: Path) -> Any:
    return READERS[request.param](demo)


def run_of(folder: Path, **split: list[str]) -> Path:
    folder.mkdir()
    (folder / "split.json").write_text(json.dumps({"train": [], "val": [], "test": [], **split}))
    return folder


def test_the_sets_own_splits_count_where_the_run_knows_none(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    counts = {"train": 18, "val": 2, "test": 4, "all": 24}
    for split, count in counts.items():
        assert len(chosen_photos(unsplit, tmp_path / "x.safetensors", demo, split)) == count  # type: ignore[arg-type]


def test_the_runs_own_split_goes_first(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    files = sorted(unsplit.files.tolist())
    run = run_of(tmp_path / "run", train=files[3:], test=files[:3])
    for given in (run, run / "best.safetensors"):
        photos = chosen_photos(unsplit, given, demo, "test")
        assert sorted(photos.files.tolist()) == files[:3]
        assert type(photos) is type(unsplit)
    with pytest.raises(LabelError, match="there are no val photos"):
        chosen_photos(unsplit, run, demo, "val")


def test_photos_that_the_run_did_not_know_are_left_out_and_noted(
    unsplit: Any, demo: Path, tmp_path: Path
) -> None:
    files = sorted(unsplit.files.tolist())
    run = run_of(tmp_path / "run", train=files[5:], test=files[:3])
    photos = chosen_photos(unsplit, run, demo, "all")
    assert sorted(photos.files.tolist()) == files[:3] + files[5:]
    assert any("2 photos are in no split" in note for note in photos.notes)


def test_a_split_of_another_set_is_no_matter(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", train=["elsewhere/1.jpg"], test=["elsewhere/2.jpg"])
    assert len(chosen_photos(unsplit, run, demo, "test")) == 4


def test_a_broken_split_file_is_not_passed_over(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    (run / "split.json").write_text("{")
    with pytest.raises(LabelError, match=r"split\.json:1:2: broken JSON"):
        chosen_photos(unsplit, run, demo, "test")


def test_nothing_is_drawn(painted: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    for folder in ("images", "masks"):
        (flat / folder).mkdir(parents=True)
        for file in (painted / folder).rglob("*.*"):
            shutil.copy(file, flat / folder / f"x{file.name.partition('-')[2]}")
    (flat / "classes.txt").write_text("ground\ndigit\n")
    unsplit = read_unsplit_segmentation(flat)
    assert set(unsplit.splits.tolist()) == {""}
    with pytest.raises(LabelError, match="Choose another --split; all takes every photo"):
        chosen_photos(unsplit, tmp_path, flat, "test")
    assert len(chosen_photos(unsplit, tmp_path, flat, "all")) == 24
