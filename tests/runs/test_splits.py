"""A run is evaluated on photos that it was not trained on, whatever the task."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError, UsageError
from boxmask.evaluation.seen_photos import find_seen
from boxmask.runs.ancestors import Ancestors
from boxmask.runs.run import Run
from boxmask.runs.splits import Split, select_split

READERS: dict[str, Callable[[Path], Any]] = {
    "detection": read_unsplit_detection,
    "segmentation": read_unsplit_segmentation,
}


@pytest.fixture(params=READERS)
def unsplit(request: pytest.FixtureRequest, demo: Path) -> Any:
    return READERS[request.param](demo)


def make_run(folder: Path, **split: list[str]) -> Path:
    """A folder with nothing but a split file."""
    folder.mkdir()
    Run(folder).split_file.write_text(json.dumps({"train": [], "val": [], "test": [], **split}))
    return folder


def test_without_a_split_file_the_split_of_the_data_set_is_used(
    unsplit: Any, demo: Path, tmp_path: Path
) -> None:
    counts: dict[Split, int] = {"train": 18, "val": 2, "test": 4, "all": 24}
    for split, count in counts.items():
        assert len(select_split(unsplit, tmp_path / "x.safetensors", demo, split)) == count


def test_the_split_of_the_run_takes_precedence(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    files = sorted(unsplit.files.tolist())
    run = make_run(tmp_path / "run", train=files[3:], test=files[:3])
    forms: list[str | os.PathLike[str]] = [run, str(run), Run(run), run / "best.safetensors"]
    for form in forms:
        photos = select_split(unsplit, form, demo, "test")
        assert sorted(photos.files.tolist()) == files[:3]
        assert type(photos) is type(unsplit)
    with pytest.raises(LabelError, match="there are no val photos"):
        select_split(unsplit, run, demo, "val")


def test_photos_missing_from_the_split_file_are_left_out_with_a_note(
    unsplit: Any, demo: Path, tmp_path: Path
) -> None:
    files = sorted(unsplit.files.tolist())
    run = make_run(tmp_path / "run", train=files[5:], test=files[:3])
    photos = select_split(unsplit, run, demo, "all")
    assert sorted(photos.files.tolist()) == files[:3] + files[5:]
    assert any("left out: 2 photos in no split" in note for note in photos.notes)


def test_a_split_file_of_another_data_set_is_ignored(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", train=["elsewhere/1.jpg"], test=["elsewhere/2.jpg"])
    assert len(select_split(unsplit, run, demo, "test")) == 4


def test_a_damaged_split_file_is_an_error(unsplit: Any, demo: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    Run(run).split_file.write_text("{")
    with pytest.raises(LabelError, match=r"split\.json:1:2: broken JSON"):
        select_split(unsplit, run, demo, "test")


def test_no_split_is_drawn(label_maps: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    for folder in ("images", "masks"):
        (flat / folder).mkdir(parents=True)
        for file in (label_maps / folder).rglob("*.*"):
            shutil.copy(file, flat / folder / f"x{file.name.partition('-')[2]}")
    (flat / "classes.txt").write_text("ground\ndigit\n")
    unsplit = read_unsplit_segmentation(flat)
    assert set(unsplit.splits.tolist()) == {""}
    with pytest.raises(LabelError, match="Choose another --split; all takes every photo"):
        select_split(unsplit, tmp_path, flat, "test")
    assert len(select_split(unsplit, tmp_path, flat, "all")) == 24


# ---------------------------------------------------------------- with a run that training wrote


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, which may be changed."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def select(run: Path, data: Path, split: Split) -> DetectionDataset:
    return select_split(read_unsplit_detection(data), run, data, split)


def files_of(dataset: DetectionDataset) -> set[str]:
    return set(dataset.files.tolist())


@pytest.mark.parametrize(("split", "photos"), [("train", 18), ("val", 2), ("test", 4), ("all", 24)])
def test_each_split_has_its_photos(trained: Path, demo: Path, split: Split, photos: int) -> None:
    assert len(select(trained, demo, split)) == photos


def test_training_photos_are_marked(trained: Path, demo: Path) -> None:
    counts: dict[Split, int] = {"train": 18, "val": 0, "test": 0, "all": 18}
    for split, count in counts.items():
        seen = select(trained, demo, split).seen
        assert seen is not None
        assert len(seen) == count
        assert {(found.run, found.split) for found in seen.values()} <= {(str(trained), "train")}
    assert select(trained, demo / "instances_test.json", "all").seen == {}


def test_photos_that_were_seen_can_be_left_out(trained: Path, demo: Path) -> None:
    unseen = select_split(read_unsplit_detection(demo), trained, demo, "all", unseen=True)
    assert len(unseen) == 6
    assert unseen.notes[-1] == "left out: 18 photos that were seen in training"
    with pytest.raises(LabelError, match="all 18 photos were seen in training"):
        select_split(read_unsplit_detection(demo), trained, demo, "train", unseen=True)


def test_without_a_record_nothing_is_known_about_seen_photos(demo: Path, tmp_path: Path) -> None:
    assert select(tmp_path / "x.safetensors", demo, "test").seen is None
    with pytest.raises(UsageError, match=r"--unseen.*: there is no record .* Give the folder"):
        select_split(read_unsplit_detection(demo), tmp_path, demo, "test", unseen=True)


def test_weights_without_a_record_leave_the_rest_unknown(run: Path, demo: Path) -> None:
    Ancestors(unknown=("old.pth",)).write(Run(run))
    unseen = select_split(read_unsplit_detection(demo), run, demo, "all", unseen=True)
    assert (len(unseen), unseen.seen) == (6, None)
    assert unseen.notes[-1] == (
        "left out: 18 photos that were seen in training; there is no record of the photos that old.pth was "
        "trained on"
    )
    with pytest.raises(UsageError, match=r"that old\.pth was trained on\. Leave the option out"):
        select_split(read_unsplit_detection(demo), run, demo, "test", unseen=True)


def test_a_changed_split_file_is_followed(run: Path, demo: Path) -> None:
    split = json.loads(Run(run).split_file.read_text())
    split["train"], split["test"] = split["train"][4:] + split["test"], split["train"][:4]
    Run(run).split_file.write_text(json.dumps(split))
    for path in (run, run / "best.safetensors"):
        assert files_of(select(path, demo, "test")) == set(split["test"])


def test_one_annotation_file_of_the_data_set_can_be_evaluated(trained: Path, demo: Path) -> None:
    assert len(select(trained, demo / "instances_test.json", "test")) == 4


def test_a_removed_photo_is_noted_and_the_other_photos_keep_their_split(run: Path, demo: Path) -> None:
    before = select(run, demo, "test")
    split = json.loads(Run(run).split_file.read_text())
    split["train"].append("images/removed.jpg")
    Run(run).split_file.write_text(json.dumps(split))
    after = select(run, demo, "test")
    assert files_of(after) == files_of(before)
    assert any("images/removed.jpg" in note for note in after.notes)


def test_new_photos_without_a_split_can_only_be_evaluated_as_a_whole(
    trained: Path, demo: Path, tmp_path: Path
) -> None:
    labels = json.loads((demo / "instances_test.json").read_text())
    for image in labels["images"]:
        shutil.copy(demo / "images" / image["file_name"], tmp_path / f"new-{image['file_name']}")
        image["file_name"] = f"new-{image['file_name']}"
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(LabelError, match="all takes every photo"):
        select(trained, tmp_path, "test")
    assert len(select(trained, tmp_path, "all")) == 4


def test_a_checkpoint_outside_its_run_has_no_split_file(run: Path, demo: Path, tmp_path: Path) -> None:
    shutil.move(run / "best.safetensors", tmp_path / "alone.safetensors")
    expected = files_of(read_detection(demo).split("test"))
    assert files_of(select(tmp_path / "alone.safetensors", demo, "test")) == expected


def test_a_split_without_photos_is_an_error(trained: Path, demo: Path) -> None:
    data = demo / "instances_test.json"
    with pytest.raises(LabelError) as caught:
        select(trained, data, "train")
    assert str(caught.value) == (
        f"{data}: there are no train photos. The data set defines no such split, and the run's split file "
        "does not cover it. Choose another --split; all takes every photo."
    )


# ---------------------------------------------------------------- ensembles


def test_photos_that_any_run_of_an_ensemble_has_seen_count_as_seen(
    unsplit: Any, demo: Path, tmp_path: Path
) -> None:
    files = sorted(unsplit.files.tolist())
    run = make_run(tmp_path / "run", train=files[3:], test=files[:3])
    other = make_run(
        tmp_path / "other", train=files[1:2] + files[4:], val=files[2:3], test=[files[0], files[3]]
    )
    alone = select_split(unsplit, run, demo, "test")
    assert alone.seen == {}
    both = select_split(unsplit, run, demo, "test", others=[other])
    assert both.files.tolist() == alone.files.tolist()
    assert {photo: (seen.run, seen.split) for photo, seen in both.seen.items()} == {
        files[1]: (str(other), "train"),
        files[2]: (str(other), "val"),
    }
    unseen = select_split(unsplit, run, demo, "test", others=[other], unseen=True)
    assert unseen.files.tolist() == [files[0]]
    assert find_seen(unseen).photos == {}


def test_an_ensemble_with_weights_of_unknown_photos_has_no_record(
    unsplit: Any, demo: Path, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", train=["x.jpg"], test=unsplit.files.tolist())
    assert select_split(unsplit, run, demo, "test", others=[tmp_path / "y.safetensors"]).seen is None
