"""What must fit before a training is resumed, and what it does not need."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
from safetensors.torch import save_file

from boxmask.errors import CheckpointError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe, write_json
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import load_model, read_checkpoint, save_checkpoint

Compare = Callable[[Path, Path], bool]


class StopsAt(Report):
    """Requests a stop after some steps, and records the messages."""

    def __init__(self, steps: int = 4) -> None:
        super().__init__()
        self.steps, self.messages = steps, list[str]()

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        if clock.step == self.steps:
            signal.raise_signal(signal.SIGTERM)

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def stopped(demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A training that was stopped after four of nine steps."""
    monkeypatch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
    run, finished = train(demo, quick, tmp_path / "run", StopsAt())
    assert not finished
    return run


def edit_recipe(run: Run, **fields: Any) -> None:
    content = json.loads(run.recipe_file.read_text())
    content["recipe"].update(fields)
    write_json(run.recipe_file, content)


# ---------------------------------------------------------------- the network


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_options": ["nms_iou=0.3"]}, "nms_iou .* is now 0.3"),
        ({"model_options": ["anchor_sizes=((8,), (16,), (32,), (64,))"]}, "anchor_sizes .* is now"),
        ({"model_options": ["score_threshold=0.2"]}, "score_threshold .* is now 0.2"),
        ({"size": 96}, "shorter_side 64 is now 96"),
        ({"backbone": "resnet18"}, "backbone 'test_resnet' is now 'resnet18'"),
        ({"model": "fcos"}, "model 'faster-rcnn' is now 'fcos'"),
    ],
)
def test_another_network_is_refused_before_anything_is_written(
    stopped: Run, fields: dict[str, Any], message: str
) -> None:
    edit_recipe(stopped, **fields)
    before = {path: path.read_bytes() for path in stopped.path.rglob("*") if path.is_file()}
    message = f"recipe.json: this recipe now gives another network than the one in training: .*{message}"
    with pytest.raises(CheckpointError, match=message):
        resume(stopped)
    assert {path: path.read_bytes() for path in stopped.path.rglob("*") if path.is_file()} == before


def test_an_edited_recipe_and_other_versions_are_reported(stopped: Run) -> None:
    tensors, metadata = read_checkpoint(stopped.resume_file)
    save_checkpoint(
        stopped.resume_file, tensors, replace(metadata, versions={**metadata.versions, "torch": "1.0"})
    )
    edit_recipe(stopped, learning_rate=1e-5)
    report = StopsAt(99)
    assert resume(stopped, report=report)
    notes = [text for text in report.messages if text.startswith("note: ")]
    assert any(
        note.startswith("note: this training began with other versions: torch '1.0' is now") for note in notes
    )
    assert "note: recipe.json was edited since the last save: learning_rate 0.0008 is now 1e-05" in notes


def test_without_a_change_there_is_no_note(stopped: Run, trained: Path, equal_files: Compare) -> None:
    report = StopsAt(99)
    assert resume(stopped, report=report)
    assert not [text for text in report.messages if "other versions" in text or "edited" in text]
    assert equal_files(stopped.last_checkpoint, trained / "last.safetensors")


# ---------------------------------------------------------------- what is not needed


def test_weights_that_the_state_replaces_are_not_read_again(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, equal_files: Compare
) -> None:
    """A file of backbone weights, given by a relative path, that is gone when the training is resumed."""
    monkeypatch.chdir(tmp_path)
    network = timm.create_model("test_resnet", pretrained=False)
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()}, "weights.safetensors"
    )
    recipe = replace(quick, weights="weights.safetensors")
    whole, _ = train(demo, recipe, tmp_path / "whole")
    run, _ = train(demo, recipe, tmp_path / "run", StopsAt())
    assert read_recipe(run)[0].weights == str(tmp_path / "weights.safetensors")
    Path("weights.safetensors").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert resume(run)
    assert equal_files(run.last_checkpoint, whole.last_checkpoint)


def test_trained_models_that_a_training_began_from_are_not_read_again(
    demo: Path,
    quick: Recipe,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    equal_files: Compare,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, "first")
    recipe = replace(quick, backbone=None, detector=Path("first"))
    whole, _ = train(demo, recipe, tmp_path / "whole")
    run, _ = train(demo, recipe, Path("run"), StopsAt())
    shutil.rmtree("first")
    run = Run(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume(run)
    assert equal_files(run.last_checkpoint, whole.last_checkpoint)


# ---------------------------------------------------------------- the log


@pytest.mark.parametrize(
    "damage",
    [
        b'{"stage": "trai',
        b'{"stage": \n',
        b"\x00" * 99 + b"\n",
        b"\xff\xfe\n",
        b"[1, 2]\n",
        b"3\n",
        b"null\n\n",
    ],
)
def test_a_damaged_log_is_no_obstacle(stopped: Run, damage: bytes) -> None:
    lines = stopped.log_file.read_bytes().splitlines(keepends=True)
    stopped.log_file.write_bytes(b"".join([*lines[:2], damage, *lines[2:]]) + damage)
    assert resume(stopped)
    steps = [json.loads(line)["step"] for line in stopped.log_file.read_text().splitlines()]
    assert steps[-6:] == [5, 6, 7, 8, 9, 9]
    assert set(steps[:-6]) <= {1, 2, 3, 4}


# ---------------------------------------------------------------- killed before the first save


@pytest.fixture
def killed(stopped: Run) -> Run:
    """What a training leaves that is killed before its first save."""
    for file in (stopped.resume_file, stopped.last_checkpoint, stopped.curve_file):
        file.unlink()
    (stopped.path / ".lock").touch()
    (stopped.path / ".owner").write_text('{"pid": 1}')
    (stopped.path / ".boxmask-x.partial").mkdir()
    return stopped


def test_a_training_killed_before_its_first_save_begins_again(
    killed: Run, trained: Path, equal_files: Compare, run_files: set[str]
) -> None:
    assert not killed.finished
    report = StopsAt(99)
    assert resume(killed, report=report)
    assert "nothing was saved before: training begins at the first step" in report.messages
    assert equal_files(killed.last_checkpoint, trained / "last.safetensors")
    assert {path.name for path in killed.path.iterdir()} == run_files


def test_a_training_of_other_data_does_not_begin_again(killed: Run, demo: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo, tmp_path / "data"))
    labels = json.loads((data / "instances_train.json").read_text())
    labels["annotations"].pop()
    (data / "instances_train.json").write_text(json.dumps(labels))
    with pytest.raises(CheckpointError, match="the data has changed since this training began"):
        resume(killed, data)
    assert killed.recipe_file.is_file()


@pytest.mark.parametrize("missing", ["recipe.json", "split.json"])
def test_a_folder_without_recipe_or_split_is_not_a_run(killed: Run, missing: str) -> None:
    (killed.path / missing).unlink()
    with pytest.raises(CheckpointError, match="nothing to resume: this is not a run"):
        resume(killed)


# ---------------------------------------------------------------- the best weights


def test_best_weights_that_are_newer_than_the_state_are_kept(stopped: Run) -> None:
    """A training that is killed between the two writes must not replace them by worse ones."""
    tensors, metadata = read_checkpoint(stopped.last_checkpoint)
    metrics = {"AP": 0.99, "AP50": 1.0, "AP75": 1.0, "images": 2}
    save_checkpoint(stopped.best_checkpoint, tensors, replace(metadata, metrics=metrics))
    before = stopped.best_checkpoint.read_bytes()
    assert resume(stopped)
    assert stopped.best_checkpoint.read_bytes() == before
    assert stopped.metrics["AP"] == 0.99


@pytest.mark.parametrize("damage", [None, b"", b"garbage"])
def test_best_weights_that_are_missing_or_damaged_are_written_again(
    stopped: Run, damage: bytes | None
) -> None:
    tensors, metadata = read_checkpoint(stopped.resume_file)
    counters = {**metadata.metrics, "best": 0.99}
    save_checkpoint(stopped.resume_file, tensors, replace(metadata, metrics=counters))
    if damage is not None:
        stopped.best_checkpoint.write_bytes(damage)
    assert resume(stopped)
    load_model(stopped.best_checkpoint)
