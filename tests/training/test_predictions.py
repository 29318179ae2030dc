"""predictions/: pictures of what the model finds after each validation."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.errors import OutputError, PhotoError
from boxmask.outputs.marks import is_marked
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.table import task_of
from boxmask.training import predictions
from boxmask.training.predictions import write_predictions
from boxmask.training.setup import network_config, new_network
from boxmask.training.train import train
from boxmask.training.validation_plan import Validations


def session_of(recipe: Recipe, demo: Path, folder: Path) -> Any:
    """What `write_predictions` reads of a session."""
    task, messages = task_of(recipe.model), list[str]()
    dataset = task.read(demo, recipe)
    config = network_config(dataset, recipe)
    network = new_network(recipe, config, None, torch.device("cpu"))
    return SimpleNamespace(
        task=task,
        recipe=recipe,
        state=SimpleNamespace(network=network, result=network, validations=Validations()),
        val=dataset.split("val"),
        run=Run(folder),
        report=SimpleNamespace(message=messages.append, messages=messages),
        timed_validation=nullcontext,
    )


@pytest.mark.parametrize("kind", ["faster-rcnn", "mask-rcnn", "unet", "tiles", "classifier"])
def test_every_task_draws_what_it_finds(
    kind: str, recipes: dict[str, Recipe], demo: Path, tmp_path: Path
) -> None:
    session = session_of(recipes[kind], demo, tmp_path / "run")
    write_predictions(session, 1 / 3)
    (file,) = session.run.predictions.iterdir()
    assert file.name == "validation-033.jpg"
    assert np.asarray(Image.open(file)).std() > 10
    assert is_marked(file)
    assert not session.report.messages


@pytest.mark.parametrize(("seconds", "photos"), [(0.0, 4), (0.1, 4), (0.3, 2), (5.0, 0)])
def test_it_takes_a_hundredth_of_the_minutes_at_most(seconds: float, photos: int) -> None:
    validations = Validations(seconds_per_photo=seconds)
    session: Any = SimpleNamespace(
        recipe=Recipe(max_minutes=1), state=SimpleNamespace(validations=validations)
    )
    assert predictions._num_photos(session) == photos


def test_fewer_photos_are_the_first_of_more(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    session = session_of(quick, demo, tmp_path / "run")
    one, two = predictions._images(session, 1), predictions._images(session, 2)
    assert len(two) == 2
    assert np.array_equal(one[0], two[0])


def test_photos_that_cannot_be_read_are_left_out(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PhotoError("photo.jpg: damaged")

    session = session_of(quick, demo, tmp_path / "run")
    monkeypatch.setattr(type(session.task), "sample", fail)
    write_predictions(session, 1.0)
    assert not session.run.predictions.exists()


def test_a_full_disk_does_not_end_the_training(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OutputError(f"{path}: no space left on the disk.")

    session = session_of(quick, demo, tmp_path / "run")
    monkeypatch.setattr(predictions, "atomic_write", fail)
    write_predictions(session, 1.0)
    (message,) = session.report.messages
    assert message.endswith("no space left on the disk. The run lacks this picture of predictions.")


def test_a_training_draws_at_each_validation(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    run, _ = train(demo, replace(quick, num_validations=3), tmp_path / "run")
    names = sorted(file.name for file in run.predictions.iterdir())
    assert names == ["validation-033.jpg", "validation-067.jpg", "validation-100.jpg"]
