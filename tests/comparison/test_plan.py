"""What a comparison is about to do, in words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from boxmask.comparison.jobs import Job, check_names
from boxmask.comparison.options import CompareOptions
from boxmask.comparison.photos import ComparedPhotos
from boxmask.comparison.plan import Schedule, describe_plan
from boxmask.comparison.shared_recipe import SharedRecipe
from boxmask.errors import UsageError


def test_the_time_left_counts_the_trainings_that_wait(tmp_path: Path) -> None:
    recipe = SharedRecipe(max_minutes=10)
    jobs = [Job(name, name, tmp_path / name, recipe.of_model(name, 0)) for name in ("ssd", "fcos", "rcnn")]
    schedule = Schedule(jobs, CompareOptions(recipe=recipe))
    assert schedule.place(jobs[1]) == "fcos (model 2 of 3)"
    assert schedule.time_left(jobs[1], 4.0) == "16 minutes of training left"
    assert schedule.time_left(jobs[1], None) == ""


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        (SharedRecipe(epochs=1), "to train: 2 models, 1 pass each"),
        (
            SharedRecipe(max_minutes=60),
            "to train: 2 models, 60 minutes each, 2 h 00 min in all. Evaluating and measuring add a "
            "minute or two per model, and more with Selective Search.",
        ),
    ],
)
def test_the_plan_says_how_long_it_takes(tmp_path: Path, recipe: SharedRecipe, line: str) -> None:
    full = SimpleNamespace(splits=np.array(["train", "train", "test"]))
    photos = ComparedPhotos(Path("photos"), "detection", (), full, None)
    jobs = [Job(name, name, tmp_path / name, recipe.of_model(name, 0)) for name in ("ssd", "fcos")]
    lines = describe_plan(photos, jobs, CompareOptions(recipe=recipe))
    assert lines == ("photos: 2 train, 0 val, 1 test photos; evaluated on the test photos", line)


def test_the_plan_tells_the_sizes_of_the_folds(tmp_path: Path) -> None:
    folds = np.array([1, 2, 1, 2, 2])
    photos = ComparedPhotos(Path("photos"), "detection", (), None, None, folds)
    recipe = SharedRecipe(max_minutes=6)
    jobs = [
        Job("ssd", f"ssd/{fold}", tmp_path / str(fold), recipe.of_model("ssd", 0), fold) for fold in (1, 2)
    ]
    lines = describe_plan(photos, jobs, CompareOptions(recipe=recipe, folds=2))
    assert lines[0] == "photos: 5 photos in 2 folds of 2 to 3; each fold is tested by trainings on the others"
    assert lines[1].startswith("to train: 2 models, 6 minutes each, 12 minutes in all.")
    assert Schedule(jobs, CompareOptions(recipe=recipe)).place(jobs[1]) == "ssd, fold 2 (model 2 of 2)"


def test_names_are_unique() -> None:
    with pytest.raises(UsageError, match="two models are called ssd"):
        check_names(["ssd", "fcos", "ssd"])
