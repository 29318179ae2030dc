"""Errors of any kind end a training in an error of boxmask, and lose no step of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from boxmask.classifiers.classifier import ImageClassifier
from boxmask.errors import PhotoError, TrainingError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.stop_signals import STOP_SIGNALS
from boxmask.training.background import run_in_background
from boxmask.training.optimizer import MovingAverage
from boxmask.training.progress import Report
from boxmask.training.stages import gradient_descent
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import read_checkpoint

Compare = Callable[[Path, Path], bool]
KILLED = "a process that loads photos was killed"
FAILED = "training failed"
ERRORS: list[tuple[BaseException, str]] = [
    (
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
        "a process that loads photos was",
    ),
    (
        RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly"),
        "a process that loads photos was killed",
    ),
    (MemoryError(), "out of memory"),
    (torch.OutOfMemoryError("CUDA out of memory."), "out of memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory"),
    (
        RuntimeError("Caught _ArrayMemoryError in DataLoader worker process 0.\nUnable to allocate 9. GiB"),
        r"out of memory .* smaller --batch-size \(in Python: batch_size\), here 16, or .* --size, here 32",
    ),
    (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out of memory"),
    (RuntimeError("could not create a primitive"), "out of memory"),
    (RuntimeError("[enforce fail] not enough memory: you tried to allocate"), "out of memory"),
    (OSError(5, "Input/output error"), r"training cannot read or write a file \(\[Errno 5\]"),
    (
        ZeroDivisionError("division by zero"),
        r"training failed \(ZeroDivisionError: division by zero\)\. Please",
    ),
    (KeyError("name"), r"training failed \(KeyError: 'name'\)"),
    (AssertionError(), r"training failed \(AssertionError: \)"),
]


@pytest.fixture(scope="module")
def recipe(recipes: dict[str, Recipe]) -> Recipe:
    return replace(recipes["classifier"], epochs=2, num_validations=2)


@pytest.fixture
def undisturbed(demo: Path, recipe: Recipe, tmp_path: Path) -> Run:
    return train(demo, recipe, tmp_path / "undisturbed")[0]


def raise_at(monkeypatch: pytest.MonkeyPatch, call: int, error: BaseException) -> None:
    """Raise an error in the loss of a step."""
    original, calls = ImageClassifier.loss, [0]

    def loss(*args: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise error
        return original(*args)

    monkeypatch.setattr(ImageClassifier, "loss", loss)


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_any_error_saves_first_and_says_how_to_resume(
    demo: Path,
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    message: str,
) -> None:
    raise_at(monkeypatch, 4, error)
    run = Run(tmp_path / "my run")
    with pytest.raises(TrainingError, match=message) as caught:
        train(demo, recipe, run.path)
    assert f"continue with: boxmask train --resume --out '{run.path}'" in str(caught.value)
    assert str(caught.value).endswith(f"The last saved weights are in {run.path}.")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 3
    assert run.error_file.is_file() == ("training failed" in message)


def test_after_an_error_a_training_reaches_the_same_weights(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    equal_files: Compare,
) -> None:
    run = Run(tmp_path / "run")
    with monkeypatch.context() as patch:
        raise_at(patch, 4, ZeroDivisionError())
        with pytest.raises(TrainingError):
            train(demo, recipe, run.path)
    assert "ZeroDivisionError" in run.error_file.read_text()
    assert resume(run)
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)
    assert equal_files(run.best_checkpoint, undisturbed.best_checkpoint)
    assert not run.error_file.exists()


def test_an_error_before_the_first_step_leaves_nothing(
    demo: Path, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_at(monkeypatch, 1, MemoryError())
    with pytest.raises(TrainingError, match=r"out of memory .* Close other programs") as caught:
        train(demo, recipe, tmp_path / "run")
    assert "resume" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_step_that_was_cut_in_half_is_not_saved(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    equal_files: Compare,
) -> None:
    """The weights have changed, the average has not: the save before counts."""
    original, calls = MovingAverage.update_parameters, [0]

    def update(self: Any, network: Any) -> None:
        calls[0] += 1
        if calls[0] == 4:
            raise MemoryError
        original(self, network)

    run = Run(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(MovingAverage, "update_parameters", update)
        with pytest.raises(TrainingError, match="out of memory"):
            train(demo, replace(recipe, save_seconds=1e-6), run.path)
    assert read_checkpoint(run.resume_file)[1].training["step"] == 3
    assert resume(run)
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)


def test_statistics_of_batch_norm_are_those_of_the_last_complete_step() -> None:
    norm = torch.nn.BatchNorm2d(2)
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    with pytest.raises(MemoryError), gradient_descent._restore_statistics_on_error(torch.nn.Sequential(norm)):
        fail_after(norm)
    assert all(torch.equal(buffer, before[name]) for name, buffer in norm.named_buffers())
    with gradient_descent._restore_statistics_on_error(norm):
        norm(torch.rand(2, 2, 3, 3))
    assert norm.num_batches_tracked == 1


def fail_after(norm: torch.nn.Module) -> None:
    norm(torch.rand(2, 2, 3, 3))
    raise MemoryError


# ---------------------------------------------------------------- workers


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_worker_that_the_system_kills_ends_in_a_saved_training(
    demo: Path,
    recipe: Recipe,
    undisturbed: Run,
    tmp_path: Path,
    equal_files: Compare,
    acting_report: Callable[..., Report],
) -> None:
    def kill_workers() -> None:
        for worker in multiprocessing.active_children():
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)

    run, many = Run(tmp_path / "run"), replace(recipe, workers=2)
    with pytest.raises(TrainingError, match="a process that loads photos was killed"):
        train(demo, many, run.path, acting_report(3, kill_workers))
    assert not multiprocessing.active_children()
    assert read_checkpoint(run.resume_file)[1].training["step"] >= 3
    assert resume(run)
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_to_the_workers_stops_no_training(
    demo: Path, recipe: Recipe, tmp_path: Path, number: signal.Signals, acting_report: Callable[..., Report]
) -> None:
    def signal_workers() -> None:
        assert multiprocessing.active_children()
        for worker in multiprocessing.active_children():
            assert worker.pid is not None
            os.kill(worker.pid, number)

    assert train(demo, replace(recipe, workers=1), tmp_path / "run", acting_report(2, signal_workers))[1]
    assert not multiprocessing.active_children()


# ---------------------------------------------------------------- photos


def test_a_photo_that_cannot_be_read_in_a_validation_loses_no_step(
    demo: Path, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def validate(*_: object) -> None:
        raise PhotoError("photo.jpg: this photo is damaged or truncated.")

    monkeypatch.setattr("boxmask.tasks.classification.task.ClassificationTask.validate", validate)
    run = Run(tmp_path / "run")
    with pytest.raises(PhotoError, match=r"^photo\.jpg: .* Then continue with: boxmask train --resume"):
        train(demo, recipe, run.path)
    step = read_checkpoint(run.resume_file)[1].training["step"]
    assert step > 0
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == step


# ---------------------------------------------------------------- stops


class StopsInValidation(Report):
    """Requests a stop, as Ctrl-C does, at the first photo of a validation."""

    def __init__(self, validation: int) -> None:
        super().__init__()
        self.validations, self.validation = 0, validation

    def advance(self, done: int, total: int, unit: str = "photos") -> None:
        super().advance(done, total, unit)
        self.validations += done == 1
        if self.validations == self.validation:
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("validation", [1, 2])
def test_a_validation_that_is_stopped_is_repeated(
    demo: Path, recipe: Recipe, undisturbed: Run, tmp_path: Path, equal_files: Compare, validation: int
) -> None:
    run, finished = train(demo, recipe, tmp_path / "run", StopsInValidation(validation))
    assert not finished
    assert not run.finished
    assert resume(run)
    assert equal_files(run.last_checkpoint, undisturbed.last_checkpoint)
    assert equal_files(run.best_checkpoint, undisturbed.best_checkpoint)
    rows = [row for row in run.log_file.read_text().splitlines() if '"val"' in row]
    assert len(rows) == 2


def test_a_training_in_a_thread_leaves_the_signals_alone(
    demo: Path, recipe: Recipe, undisturbed: Run, tmp_path: Path, equal_files: Compare
) -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    results: list[tuple[Run, bool]] = []
    thread = threading.Thread(target=lambda: results.append(train(demo, recipe, tmp_path / "run")))
    thread.start()
    thread.join()
    assert results[0][1]
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert equal_files(results[0][0].last_checkpoint, undisturbed.last_checkpoint)


@pytest.mark.parametrize("act", [lambda: signal.raise_signal(signal.SIGINT), lambda: 1 / 0, lambda: None])
def test_the_handlers_of_the_caller_come_back(
    demo: Path,
    recipe: Recipe,
    tmp_path: Path,
    act: Callable[[], object],
    acting_report: Callable[..., Report],
) -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    try:
        train(demo, recipe, tmp_path / "run", acting_report(2, act))  # type: ignore[arg-type]
    except TrainingError:
        assert "division by zero" in Run(tmp_path / "run").error_file.read_text()
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_three_signals_stop_at_once_and_keep_the_run(
    demo: Path, recipe: Recipe, tmp_path: Path, acting_report: Callable[..., Report]
) -> None:
    def thrice() -> None:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)

    run = Run(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(demo, recipe, run.path, acting_report(2, thrice))
    assert run.recipe_file.is_file()
    assert not run.resume_file.exists()
    assert resume(run)


# ---------------------------------------------------------------- work in the background


def test_background_work_returns_its_result_and_raises_its_errors() -> None:
    assert run_in_background(lambda: 3, lambda: None) == 3
    assert run_in_background(lambda: 3, None) == 3
    with pytest.raises(ZeroDivisionError):
        run_in_background(lambda: 1 / 0, lambda: None)


def test_background_work_is_left_alone_when_the_check_raises() -> None:
    release, checks = threading.Event(), [0]

    def check() -> None:
        checks[0] += 1
        if checks[0] == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_in_background(release.wait, check)
    release.set()
