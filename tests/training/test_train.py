"""Training a detector: the run, reproducibility, stopping and resuming, and errors."""

from __future__ import annotations

import json
import random
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.contract import SPLITS
from boxmask.data.detection.read import read_detection
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import CheckpointError, LabelError, PhotoError, TrainingError, UsageError
from boxmask.runs import claim
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.progress import Report
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import load_detector, read_checkpoint


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


class PowerCut(BaseException):
    """Ends a training at once. No code may catch it and save first, as it does with an Exception."""


def power_cut() -> None:
    raise PowerCut


def same_weights(one: Path, other: Path) -> bool:
    ours, theirs = read_checkpoint(one)[0], read_checkpoint(other)[0]
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def logged_steps(run: Run) -> list[int]:
    return [json.loads(line)["step"] for line in run.log_file.read_text().splitlines()]


# ---------------------------------------------------------------- the run


def test_a_run_has_all_its_files(trained: Path, demo: Path, run_files: set[str]) -> None:
    files = {file.name for file in trained.iterdir()}
    assert files == run_files
    dataset = read_detection(demo)
    split = json.loads((trained / "split.json").read_text())
    assert {name: len(split[name]) for name in SPLITS} == {"train": 18, "val": 2, "test": 4}
    assert json.loads((trained / "recipe.json").read_text())["fingerprint"] == dataset.fingerprint()
    _, metadata = read_checkpoint(trained / "best.safetensors")
    assert metadata.fingerprint == dataset.fingerprint()
    assert metadata.training["step"] == 9
    assert set(metadata.metrics) - {"min_scores"} == {"AP", "AP50", "AP75", "images"}
    assert load_detector(trained).config.class_names == dataset.class_names
    Image.open(trained / "curve.png").load()


def test_the_same_seed_gives_the_same_weights(
    demo: Path, quick: Recipe, trained: Path, tmp_path: Path
) -> None:
    run, finished = train(demo, replace(quick, workers=1), tmp_path / "run")
    assert finished
    assert same_weights(run.last_checkpoint, trained / "last.safetensors")
    assert same_weights(run.best_checkpoint, trained / "best.safetensors")


def test_the_same_seed_gives_the_same_weights_with_several_threads(
    demo: Path, quick: Recipe, tmp_path: Path
) -> None:
    torch.set_num_threads(2)
    runs = [train(demo, replace(quick, batch_size=6), tmp_path / name)[0] for name in ("one", "two")]
    assert same_weights(runs[0].last_checkpoint, runs[1].last_checkpoint)


def test_another_seed_gives_other_weights(demo: Path, quick: Recipe, trained: Path, tmp_path: Path) -> None:
    run, _ = train(demo, replace(quick, seed=1), tmp_path / "run")
    assert not same_weights(run.last_checkpoint, trained / "last.safetensors")


def test_a_disk_without_file_locks_is_noted(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise OSError(claim.NO_LOCKS[0], "no locks available")

    monkeypatch.setattr(claim.FileLock, "acquire", acquire)
    train(demo, quick, tmp_path / "run")
    assert "has no file locks; do not train it twice at once" in capfd.readouterr().err.replace("\n", " ")


def test_minutes_end_a_training(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    short = replace(quick, epochs=None, max_minutes=2 / 60)
    run, finished = train(demo, short, tmp_path / "run")
    assert finished
    assert 0.1 <= read_checkpoint(run.last_checkpoint)[1].training["seconds"] < 20


def test_without_validation_photos_the_last_weights_are_the_best(
    demo: Path, quick: Recipe, tmp_path: Path
) -> None:
    split = json.loads(json.dumps({name: [] for name in ("train", "val", "test")}))
    dataset = read_detection(demo)
    split["train"] = dataset.files.tolist()
    file = tmp_path / "split.json"
    file.write_text(json.dumps(split))
    run, _ = train(demo, replace(quick, split_file=file), tmp_path / "run")
    assert same_weights(run.best_checkpoint, run.last_checkpoint)


# ---------------------------------------------------------------- the caller's random state


def draw() -> tuple[object, ...]:
    """One draw from each generator that belongs to the caller."""
    return random.random(), float(np.random.random()), torch.rand(1).item()  # noqa: NPY002


def seed_all() -> None:
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)


@pytest.fixture
def expected_draw() -> tuple[object, ...]:
    """The next draw of the caller; the generators are seeded anew."""
    seed_all()
    expected = draw()
    seed_all()
    return expected


def test_training_and_resuming_restore_the_random_state(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    expected_draw: tuple[object, ...],
    acting_report: Callable[..., Report],
) -> None:
    run, finished = train(demo, replace(quick, workers=1), tmp_path / "run", acting_report(4, ctrl_c))
    assert not finished
    assert draw() == expected_draw
    seed_all()
    assert resume(run)
    assert draw() == expected_draw


def test_a_training_that_raises_restores_the_random_state(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    expected_draw: tuple[object, ...],
    acting_report: Callable[..., Report],
) -> None:
    with pytest.raises(PowerCut):
        train(demo, quick, tmp_path / "run", acting_report(6, power_cut))
    assert draw() == expected_draw


def test_the_callers_seed_does_not_change_the_weights(
    demo: Path, quick: Recipe, trained: Path, tmp_path: Path
) -> None:
    torch.manual_seed(123)
    run, _ = train(demo, quick, tmp_path / "run")
    assert same_weights(run.last_checkpoint, trained / "last.safetensors")


# ---------------------------------------------------------------- stopping and resuming


@pytest.mark.parametrize(
    ("recipe", "stop_at"),
    [
        ({}, 4),
        ({"optimizer": "sgd", "epochs": 2, "batch_size": 6}, 4),
        ({"copy_paste": 0.5, "mosaic": 0.5, "sampling": "balanced", "workers": 2}, 4),
    ],
)
def test_a_resumed_training_reaches_the_same_weights(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    recipe: dict[str, object],
    stop_at: int,
    acting_report: Callable[..., Report],
) -> None:
    recipe_ = replace(quick, num_validations=2, **recipe)  # type: ignore[arg-type]
    uninterrupted, _ = train(demo, recipe_, tmp_path / "whole")
    run, finished = train(demo, recipe_, tmp_path / "stopped", acting_report(stop_at, ctrl_c))
    assert not finished
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == stop_at
    load_detector(run.path)
    assert resume(run)
    assert same_weights(run.last_checkpoint, uninterrupted.last_checkpoint)
    assert same_weights(run.best_checkpoint, uninterrupted.best_checkpoint)
    assert not run.resume_file.exists()


def test_an_interrupted_training_resumes_from_the_last_save(
    demo: Path, quick: Recipe, trained: Path, tmp_path: Path, acting_report: Callable[..., Report]
) -> None:
    recipe = replace(quick, save_seconds=1e-3)
    with pytest.raises(PowerCut):
        train(demo, recipe, tmp_path / "run", acting_report(6, power_cut))
    run = Run(tmp_path / "run")
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 5
    assert resume(run)
    assert same_weights(run.last_checkpoint, trained / "last.safetensors")


def test_the_log_of_a_resumed_training_has_no_step_twice(
    demo: Path,
    quick: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    acting_report: Callable[..., Report],
) -> None:
    monkeypatch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
    recipe = replace(quick, save_seconds=1e-3)
    with pytest.raises(PowerCut):
        train(demo, recipe, tmp_path / "run", acting_report(6, power_cut))
    run = Run(tmp_path / "run")
    assert logged_steps(run) == [1, 2, 3, 4, 5, 6]
    resume(run)
    assert logged_steps(run) == [*range(1, 10), 9]  # the last line is the validation


def test_a_training_resumes_after_the_photos_have_moved(
    demo: Path, quick: Recipe, trained: Path, tmp_path: Path, acting_report: Callable[..., Report]
) -> None:
    shutil.copytree(demo, tmp_path / "old")
    run, _ = train(tmp_path / "old", quick, tmp_path / "run", acting_report(4, ctrl_c))
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(LabelError, match="no such file or folder"):
        resume(run)
    assert resume(run, tmp_path / "new")
    assert same_weights(run.last_checkpoint, trained / "last.safetensors")


def test_a_training_with_another_photo_of_the_same_name_is_not_resumed(
    demo: Path, quick: Recipe, tmp_path: Path, acting_report: Callable[..., Report]
) -> None:
    data = Path(shutil.copytree(demo, tmp_path / "data"))
    run, _ = train(data, quick, tmp_path / "run", acting_report(4, ctrl_c))
    photo = sorted((data / "images").iterdir())[0]
    Image.open(photo).rotate(180).save(photo)
    with pytest.raises(CheckpointError, match=rf"photos have changed .*\n  images/{photo.name}\n"):
        resume(run)


def test_a_training_with_changed_data_is_not_resumed(
    demo: Path, quick: Recipe, tmp_path: Path, acting_report: Callable[..., Report]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo, data)
    run, _ = train(data, quick, tmp_path / "run", acting_report(4, ctrl_c))
    labels = json.loads((data / "instances_train.json").read_text())
    labels["annotations"].pop()
    (data / "instances_train.json").write_text(json.dumps(labels))
    before = run.last_checkpoint.read_bytes()
    with pytest.raises(CheckpointError, match="the data has changed since this training began"):
        resume(run)
    assert run.last_checkpoint.read_bytes() == before


def test_a_finished_run_cannot_be_resumed(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing to resume: the training is complete"):
        resume(Run(trained))
    with pytest.raises(CheckpointError, match="nothing to resume: this is not a run"):
        resume(Run(tmp_path))


# ---------------------------------------------------------------- errors


def break_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Make the loss NaN from that step on."""
    original, calls = FasterRCNN.loss, [0]

    def loss(self: FasterRCNN, images: list[torch.Tensor], targets: list[object]) -> dict[str, torch.Tensor]:
        losses = original(self, images, targets)
        calls[0] += 1
        return {**losses, "roi_box": losses["roi_box"] * (float("nan") if calls[0] > step else 1)}

    monkeypatch.setattr(FasterRCNN, "loss", loss)


def test_a_loss_that_is_not_finite_names_the_photos_of_its_batch(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(monkeypatch, 5)
    batches: list[list[int]] = []
    monkeypatch.setattr("boxmask.training.loader._collate", _recording(batches))
    run = Run(tmp_path / "run")
    with pytest.raises(TrainingError, match=r"the loss is not finite at step 5 \(.*roi_box nan\)") as caught:
        train(demo, replace(quick, save_seconds=1e-3), run.path)
    dataset = read_detection(demo).split("train")
    named = [line.strip() for line in str(caught.value).splitlines() if line.startswith("  ")]
    assert named == [str(dataset.path(photo)) for photo in batches[5]]
    assert str(caught.value).endswith(f"The last saved weights are in {run.path}.")
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 5
    assert all(bool(tensor.isfinite().all()) for tensor in read_checkpoint(run.last_checkpoint)[0].values())


def _recording(batches: list[list[int]]) -> Callable[..., object]:
    from boxmask.training.loader import _collate

    def collate(samples: list[tuple[torch.Tensor, object, int]]) -> object:
        batches.append([photo for _, _, photo in samples])
        return _collate(samples)

    return collate


def test_a_training_that_fails_before_its_first_save_leaves_nothing(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(monkeypatch, 0)
    with pytest.raises(TrainingError) as caught:
        train(demo, quick, tmp_path / "run")
    assert "saved" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_damaged_photo_is_named(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo, data)
    photo = data / "images" / "train-00007.jpg"
    photo.write_bytes(photo.read_bytes()[:-500])
    with pytest.raises(PhotoError, match="damaged or truncated") as caught:
        train(data, quick, tmp_path / "run")
    assert str(caught.value).startswith(f"{photo}: ")
    shutil.copy(demo / "images" / photo.name, photo)  # with the photo repaired, training resumes
    run = Run(tmp_path / "run")
    assert not run.path.exists() or resume(run)


def test_a_refused_training_does_not_affect_the_next(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UsageError, match="is not supported on this device"):
        train(demo, replace(quick, precision="fp16"), tmp_path / "refused")
    assert train(demo, quick, tmp_path / "run")[1]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"model": "yolo"}, "unknown model 'yolo'; choose from: rcnn, fast-rcnn, faster-rcnn"),
        ({"preset": "tiny"}, "has no preset 'tiny'; choose from: default"),
        ({"backbone": "resnet0"}, "resnet0"),
    ],
)
def test_an_unknown_choice_is_refused_before_anything_is_written(
    demo: Path, quick: Recipe, tmp_path: Path, choice: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train(demo, replace(quick, **choice), tmp_path / "run")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_half_precision_without_a_gpu_is_refused_before_anything_is_written(
    demo: Path, quick: Recipe, tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UsageError, match=r"--precision fp16 is not supported .*Use --precision no\."):
        train(demo, replace(quick, precision="fp16"), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_photos_without_objects_cannot_be_learned_from(demo: Path, quick: Recipe, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo, data)
    for file in data.glob("instances_*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"annotations": []}))
    with pytest.raises(LabelError, match="no training photo has a labeled object"):
        train(data, quick, tmp_path / "run")
