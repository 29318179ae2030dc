"""What the programs' own readers find in a run. Tests of programs that are not installed are skipped."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import TrackerName
from boxmask.runs.run import Run
from boxmask.training.progress import Report, read_log
from boxmask.training.trackers.programs import PROGRAMS, Program, check_programs
from boxmask.training.train import resume, train


@pytest.fixture
def stopped_once(
    demo: Path,
    tracked: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    acting_report: Callable[..., Report],
) -> Callable[[TrackerName], Run]:
    """Make a training with one tracker that was stopped in the middle, and resumed."""
    import signal

    monkeypatch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)

    def make(name: TrackerName) -> Run:
        recipe, report = replace(tracked, log_with=(name,)), acting_report(2, ctrl_c)
        run, finished = train(demo, recipe, tmp_path / "run", report)
        assert not finished
        assert resume(run)
        return run

    def ctrl_c() -> None:
        signal.raise_signal(signal.SIGINT)

    return make


def test_every_tracker_of_the_recipe_has_its_program() -> None:
    from typing import get_args

    assert set(PROGRAMS) == set(get_args(TrackerName))


def test_a_folder_with_a_programs_name_is_not_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights & Biases writes its runs into ./wandb, which Python takes for a package without code."""
    (tmp_path / "runs_of_it").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(PROGRAMS, "wandb", Program("runs_of_it", PROGRAMS["wandb"].start))
    with pytest.raises(UsageError, match="the package runs_of_it is not installed"):
        check_programs(("wandb",))


def test_a_program_that_is_not_installed_is_named_before_anything_is_written(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROGRAMS, "wandb", Program("no_such_package", PROGRAMS["wandb"].start))
    message = r"--log-with wandb: the package no_such_package is not installed.* pip install no_such_package"
    with pytest.raises(UsageError, match=message):
        train(demo, replace(quick, log_with=("wandb",)), tmp_path / "run")
    assert not list(tmp_path.iterdir())
    check_programs(())


def test_tensorboard_reads_one_curve(stopped_once: Callable[[TrackerName], Run]) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = stopped_once("tensorboard")
    reader = EventAccumulator(str(run.path / "tensorboard"))
    reader.Reload()
    rows = read_log(run.log_file)
    losses = [event.step for event in reader.Scalars("train/loss")]
    assert losses == [row["step"] for row in rows if "val" not in row]
    metrics = [event.value for event in reader.Scalars("validation/accuracy")]
    assert metrics == pytest.approx([row["val"]["accuracy"] for row in rows if "val" in row])
    assert "_hparams_/session_start_info" in reader.summary_metadata
    assert [folder for folder in (run.path / "tensorboard").iterdir() if folder.is_dir()] == []


def test_mlflow_reads_one_run_from_the_folder(stopped_once: Callable[[TrackerName], Run]) -> None:
    mlflow = pytest.importorskip("mlflow")
    run = stopped_once("mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{run.path / 'mlflow' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("boxmask")
    (tracked,) = client.search_runs([experiment.experiment_id])
    steps = [metric.step for metric in client.get_metric_history(tracked.info.run_id, "train/loss")]
    assert steps == [row["step"] for row in read_log(run.log_file) if "val" not in row]
    assert tracked.data.params["model"] == "classifier"


def test_wandb_writes_offline_runs_with_one_name(stopped_once: Callable[[TrackerName], Run]) -> None:
    pytest.importorskip("wandb")
    folders = sorted((stopped_once("wandb").path / "wandb").glob("offline-run-*"))
    assert len(folders) == 2
    assert len({folder.name.split("-")[-1] for folder in folders}) == 1
