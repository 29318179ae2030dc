"""A training keeps the split of the one before it, and knows what its initial weights have seen."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import boxmask
from boxmask.data.detection.read import read_detection
from boxmask.data.split_file import read_split_file, write_split_file
from boxmask.errors import LabelError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.progress import Report
from boxmask.training.read_data import read_new_data, read_same_data
from boxmask.training.train import train


def write_data(demo: Path, root: Path, count: int) -> Path:
    """The first photos of the demo data set, without splits."""
    root.mkdir(exist_ok=True)
    labels: dict[str, Any] = {"images": [], "annotations": []}
    for file in sorted(demo.glob("instances_*.json")):
        content = json.loads(file.read_text())
        labels["categories"] = content["categories"]
        labels["images"] += content["images"]
        labels["annotations"] += content["annotations"]
    labels["images"] = labels["images"][:count]
    kept = {image["id"] for image in labels["images"]}
    labels["annotations"] = [entry for entry in labels["annotations"] if entry["image_id"] in kept]
    for number, image in enumerate(labels["images"]):
        name = f"{number:02}.jpg"
        shutil.copy(demo / "images" / image["file_name"], root / name)
        image["file_name"] = name
    (root / "labels.json").write_text(json.dumps(labels))
    return root


@pytest.fixture
def recipe(quick: Recipe) -> Recipe:
    return replace(quick, on_unseen_classes="skip")


def test_the_second_training_keeps_the_split_of_the_first(
    demo: Path, recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(demo, tmp_path / "data", 12)
    first, _ = train(data, recipe, tmp_path / "runs/first")
    before = read_split_file(first.split_file)
    assert before.draw is not None
    write_data(demo, data, 15)
    capsys.readouterr()
    second, _ = train(data, recipe, tmp_path / "runs/second")
    after = read_split_file(second.split_file)
    assert before.splits.items() <= after.splits.items()
    assert len(after.splits) == 15
    printed = capsys.readouterr()
    assert f"note: the split of {first.path} is kept, with 3 new photos (" in printed.out + printed.err
    assert "is kept, with 3 new photos" in second.notes_file.read_text()


def test_a_drawn_split_file_grows_and_one_that_goes_on_does_not(
    demo: Path, recipe: Recipe, tmp_path: Path
) -> None:
    data = write_data(demo, tmp_path / "data", 12)
    first, _ = train(data, recipe, tmp_path / "runs/first")
    write_data(demo, data, 15)
    chosen = replace(recipe, split_file=first.split_file)
    new = read_new_data(data, chosen, Run(tmp_path / "elsewhere/new"), Report())
    assert len(new) == 15
    assert any("is kept, with 3 new photos" in note for note in new.notes)
    with pytest.raises(LabelError, match="Photos that the split file does not name"):
        read_same_data(data, chosen, first, Report())


def test_a_drawn_split_file_replaces_the_data_sets_own_splits(
    demo: Path, recipe: Recipe, tmp_path: Path
) -> None:
    drawn = read_detection(demo, split_seed=5, group_by=r"\d+")
    own = read_detection(demo)
    assert drawn.splits.tolist() != own.splits.tolist()
    write_split_file(drawn, tmp_path / "split.json")
    chosen = replace(recipe, split_file=tmp_path / "split.json")
    new = read_new_data(demo, chosen, Run(tmp_path / "run"), Report())
    assert new.splits.tolist() == drawn.splits.tolist()


# ---------------------------------------------------------------- photos that were seen before


def splits(run: Run) -> dict[str, str]:
    return read_split_file(run.split_file).splits


def seen_photos(evaluation: Any) -> dict[str, tuple[str, str]]:
    """The run and split of each photo that an evaluation says was seen."""
    return {
        seen["photo"]: (Path(seen["run"]).name, seen["split"]) for seen in evaluation.to_dict()["seen_photos"]
    }


def test_tainted_metrics_are_marked_through_generations(
    demo: Path, recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder = write_data(demo, tmp_path / "data", 20), tmp_path / "runs"
    first, _ = train(data, recipe, folder / "first")
    assert not first.ancestors_file.exists()
    assert "seen_photos" not in first.metrics
    evaluation = boxmask.evaluate(first, data)
    assert evaluation.to_dict()["tainted"] is False
    assert "tainted" not in repr(evaluation)

    capsys.readouterr()
    child = replace(recipe, detector=first.path, split_seed=1)
    second, _ = train(data, child, folder / "second")
    printed = capsys.readouterr().err
    before, now = splits(first), splits(second)
    in_test = {file for file, split in now.items() if split == "test" and before[file] != "test"}
    in_val = {file for file, split in now.items() if split == "val" and before[file] == "train"}
    assert in_test
    assert (
        f"note: tainted: {len(in_test)} of 4 test photos were seen by the training of the initial" in printed
    )
    assert second.metrics.get("seen_photos", 0) == len(in_val)
    tainted = boxmask.evaluate(second, data)
    assert tainted.to_dict()["tainted"] is True
    assert seen_photos(tainted) == {file: ("first", before[file]) for file in in_test}
    assert f"tainted: {len(in_test)} seen in training" in repr(tainted)

    grandchild = replace(recipe, detector=second.path, split_file=second.split_file)
    third, _ = train(data, grandchild, folder / "third")
    shutil.rmtree(folder / "first")
    shutil.rmtree(folder / "second")
    assert splits(third) == now
    assert seen_photos(boxmask.evaluate(third, data)) == {file: ("first", before[file]) for file in in_test}
