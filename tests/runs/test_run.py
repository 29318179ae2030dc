import json
from dataclasses import fields
from pathlib import Path

import pytest

from boxmask.errors import CheckpointError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe, recipe_json, versions, write_json

UNUSUAL = Recipe(
    preset="fpn",
    backbone="resnet18",
    size=96,
    epochs=7,
    seed=3,
    optimizer="sgd",
    learning_rate=0.02,
    scale=(0.5, 2.0),
    split_file=Path("some") / "split.json",
    on_bad_boxes="skip",
    workers=0,
    device="cpu",
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.mark.parametrize("recipe", [Recipe(), UNUSUAL, Recipe(max_minutes=2.5)])
def test_a_recipe_is_read_back_from_its_file(run: Run, recipe: Recipe, tmp_path: Path) -> None:
    write_json(run.recipe_file, recipe_json(recipe, tmp_path / "data", "0123"))
    assert read_recipe(run) == (recipe, tmp_path / "data")


def test_the_recipe_file_holds_every_field_the_data_set_and_its_fingerprint(run: Run) -> None:
    write_json(run.recipe_file, recipe_json(Recipe(), Path("data"), "0123"))
    content = json.loads(run.recipe_file.read_text())
    assert list(content["recipe"]) == [field.name for field in fields(Recipe)]
    assert content["fingerprint"] == "0123"
    assert Path(content["data"]).is_absolute()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"data": "x", "recipe": {"scale": [1, 1]}}'])
def test_a_damaged_recipe_is_an_error(run: Run, text: str) -> None:
    run.recipe_file.write_text(text)
    with pytest.raises(CheckpointError, match=r"recipe\.json: this is not the recipe of a run"):
        read_recipe(run)


def test_a_recipe_with_an_unknown_field_is_an_error(run: Run) -> None:
    content = recipe_json(Recipe(), Path("data"), "")
    content["recipe"]["momentum"] = 0.9
    write_json(run.recipe_file, content)
    with pytest.raises(CheckpointError, match="momentum"):
        read_recipe(run)


def test_a_missing_recipe_is_an_error(run: Run) -> None:
    with pytest.raises(CheckpointError, match=r"recipe\.json"):
        read_recipe(run)


def test_a_run_has_weights_once_it_has_a_checkpoint(run: Run) -> None:
    assert not run.has_weights
    run.last_checkpoint.touch()
    assert run.has_weights
    run.last_checkpoint.rename(run.best_checkpoint)
    assert run.has_weights


def test_versions_of_the_packages_that_a_result_depends_on() -> None:
    assert {"python", "boxmask", "torch", "timm"} <= set(versions())
    assert all(versions().values())


def test_only_the_files_of_a_run_are_removed(run: Run) -> None:
    for name in (
        "best.safetensors",
        "log.jsonl",
        ".boxmask-x.partial/best.safetensors",
        "mine.txt",
        "intermediate/a",
    ):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).touch()
    run.remove_files()
    assert [path.name for path in run.path.iterdir()] == ["mine.txt"]
