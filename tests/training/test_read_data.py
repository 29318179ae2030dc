"""A training keeps the split of the one before it, and one that goes on keeps its photos."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.split_file import read_split_file
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
    assert f"note: the split of {first.path} is kept, with 3 new photos: " in printed.out + printed.err
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
        read_same_data(data, chosen, Report())
