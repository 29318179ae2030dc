"""samples.jpg: the first samples of a training, as a picture."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.errors import OutputError, PhotoError
from boxmask.outputs.marks import is_marked
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.table import task_of
from boxmask.training import samples
from boxmask.training.clock import Clock
from boxmask.training.samples import write_samples
from boxmask.training.setup import network_config

RECIPES = [
    Recipe(model="faster-rcnn", size=64, copy_paste=0.5, sampling="balanced"),
    Recipe(model="mask-rcnn", size=64, mosaic=0.5),
    Recipe(model="fcn", size=64, crop_policy="large-jitter"),
    Recipe(model="classifier", size=32),
]


def session_of(recipe: Recipe, demo: Path, folder: Path) -> Any:
    """What `write_samples` reads of a session."""
    folder.mkdir()
    task, messages = task_of(recipe.model), list[str]()
    dataset = task.read(demo, recipe)
    config = network_config(dataset, recipe)
    state = SimpleNamespace(network=SimpleNamespace(config=config), clock=Clock(10, 0.0))
    report = SimpleNamespace(message=messages.append, messages=messages)
    return SimpleNamespace(
        task=task, recipe=recipe, state=state, train=dataset.split("train"), run=Run(folder), report=report
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.model)
def test_every_task_draws_its_samples(recipe: Recipe, demo: Path, tmp_path: Path) -> None:
    session = session_of(recipe, demo, tmp_path / "run")
    write_samples(session)
    picture = Image.open(session.run.samples_file)
    assert picture.size[0] == 1600
    assert np.asarray(picture).std() > 10
    assert is_marked(session.run.samples_file)


def test_photos_that_cannot_be_read_are_left_out(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PhotoError("photo.jpg: damaged")

    session = session_of(Recipe(model="faster-rcnn", size=64), demo, tmp_path / "run")
    monkeypatch.setattr(type(session.task), "sample", fail)
    write_samples(session)
    assert not session.run.samples_file.exists()
    assert not session.report.messages


def test_a_full_disk_does_not_end_the_training(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OutputError(f"{path}: no space left on the disk.")

    session = session_of(Recipe(model="faster-rcnn", size=64), demo, tmp_path / "run")
    monkeypatch.setattr(samples, "atomic_write", fail)
    write_samples(session)
    (message,) = session.report.messages
    assert message.startswith("warning: ")
    assert message.endswith("no space left on the disk. The run has no samples.")
