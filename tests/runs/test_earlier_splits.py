"""A new training finds the split that an earlier one drew for the same data set."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.data.split_file import write_split_file
from boxmask.errors import LabelError
from boxmask.runs.earlier_splits import earlier_splits
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, recipe_json, write_json


def write_data(root: Path, count: int = 12) -> Path:
    """Photos with one object each."""
    root.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(count):
        Image.new("RGB", (30, 20), (number, 7, 7)).save(root / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": 20, "width": 30})
        annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": [1, 2, 9, 9]})
    labels = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (root / "labels.json").write_text(json.dumps(labels))
    return root


def make_run(path: Path, data: Path, recipe: Recipe | None = None, age: int = 0) -> Run:
    """The folder of a run before its first step, `age` seconds old."""
    recipe, run = recipe or Recipe(), Run(path)
    path.mkdir(parents=True)
    dataset = read_detection(data, split_seed=recipe.split_seed, group_by=recipe.group_by)
    write_split_file(dataset, run.split_file)
    write_json(run.recipe_file, recipe_json(recipe, data, "0"))
    time = run.recipe_file.stat().st_mtime - age
    os.utime(run.recipe_file, (time, time))
    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


def found(data: Path, runs: Path, recipe: Recipe | None = None, *starting_points: Run) -> list[str]:
    """The names of the runs, or of the file, whose splits may be kept."""
    splits = earlier_splits(data, recipe or Recipe(), Run(runs / "new"), starting_points)
    return [Path(split.origin).name for split in splits]


def test_the_newest_run_beside_the_new_one_comes_first(data: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert found(data, runs) == []
    make_run(runs / "a", data, age=20)
    make_run(runs / "b", data, age=10)
    make_run(runs / "other", write_data(tmp_path / "other"))
    make_run(tmp_path / "elsewhere/c", data)
    assert found(data, runs) == ["b"]
    assert found(data / "labels.json", runs) == ["b"]
    (runs / "b/split.json").write_text("{")
    assert found(data, runs) == ["a"]
    (runs / "a/recipe.json").write_text("[]")
    assert found(data, runs) == []


def test_the_run_that_the_training_starts_from_comes_before(data: Path, tmp_path: Path) -> None:
    start = make_run(tmp_path / "elsewhere/c", data)
    make_run(tmp_path / "runs/a", data)
    assert found(data, tmp_path / "runs", None, start) == ["c", "a"]
    assert found(data, tmp_path / "runs", None, Run(tmp_path / "no-run")) == ["a"]


def test_a_split_that_was_given_is_not_kept(data: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"train": [f"{number}.png" for number in range(12)]}))
    run = make_run(tmp_path / "runs/a", data, Recipe(split_file=split))
    run.split_file.write_text(split.read_text())
    assert found(data, tmp_path / "runs") == []


def test_a_run_of_an_old_version_tells_by_its_recipe_how_it_drew(data: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs/a", data, Recipe(split_seed=3))
    content = json.loads(run.split_file.read_text())
    del content["drawn"]
    run.split_file.write_text(json.dumps(content))
    (earlier,) = earlier_splits(data, Recipe(), Run(tmp_path / "runs/new"), ())
    assert earlier.draw.seed == 3
    assert earlier.draw.shares == {"test": 0.2, "val": 0.1}
    assert earlier.read_from_here


def test_only_a_split_file_that_boxmask_drew_grows(data: Path, tmp_path: Path) -> None:
    make_run(tmp_path / "runs/a", data)
    drawn, given = tmp_path / "drawn.json", tmp_path / "given.json"
    write_split_file(read_detection(data), drawn)
    write_split_file(replace(read_detection(data), draw=None), given)
    assert found(data, tmp_path / "runs", Recipe(split_file=drawn)) == ["drawn.json"]
    assert found(data, tmp_path / "runs", Recipe(split_file=given)) == []
    drawn.write_text('{"train": [], "drawn": {"seed": "x"}}')
    with pytest.raises(LabelError, match=r'drawn.json: "drawn": expected seed'):
        found(data, tmp_path / "runs", Recipe(split_file=drawn))
