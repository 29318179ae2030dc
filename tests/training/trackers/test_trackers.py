"""Trackers get each row of log.jsonl once, and cannot end a training."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boxmask.classifiers.classifier import ImageClassifier
from boxmask.errors import TrainingError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.progress import Report, read_log
from boxmask.training.trackers.programs import PROGRAMS, Program
from boxmask.training.trackers.trackers import tracker_settings
from boxmask.training.train import resume, train

Logged = Callable[[Run], list[int]]


class PowerCut(BaseException):
    """Ends a training at once."""


def power_cut() -> None:
    raise PowerCut


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_tracker_gets_every_row_and_the_recipe(
    demo: Path, tracked: Recipe, tmp_path: Path, server: Any, logged: Logged
) -> None:
    run, _ = train(demo, tracked, tmp_path / "run")
    assert [step for step, _ in server.rows] == logged(run)
    assert {"train/loss", "train/learning_rate", "train/images_per_second"} <= server.rows[0][1].keys()
    assert "validation/accuracy" in server.rows[-1][1]
    assert server.settings[0]["model"] == "classifier"
    assert server.settings[0]["batch_size"] == 16
    assert server.known_ids == [None]
    assert server.num_finished == 1


@pytest.mark.parametrize("save_seconds", [1e-6, 60.0])
def test_after_a_stop_the_same_training_gets_the_rest(
    demo: Path,
    tracked: Recipe,
    tmp_path: Path,
    server: Any,
    logged: Logged,
    acting_report: Callable[..., Report],
    save_seconds: float,
) -> None:
    recipe = replace(tracked, save_seconds=save_seconds)
    run, finished = train(demo, recipe, tmp_path / "run", acting_report(3, ctrl_c))
    assert not finished
    assert [step for step, _ in server.rows] == logged(run)
    assert resume(run)
    assert [step for step, _ in server.rows] == logged(run)
    assert server.known_ids == [None, "number 7"]


def test_rows_that_a_power_cut_made_void_do_not_come_twice(
    demo: Path,
    tracked: Recipe,
    tmp_path: Path,
    server: Any,
    logged: Logged,
    acting_report: Callable[..., Report],
) -> None:
    """The row of step 3 is in the log, but not the state: the resumed training does step 3 again."""
    run = Run(tmp_path / "run")
    with pytest.raises(PowerCut):
        train(demo, tracked, run.path, acting_report(3, power_cut))
    assert logged(run)[-1] == 3
    assert server.rows[-1][0] == 2
    assert resume(run)
    assert [step for step, _ in server.rows] == logged(run)


def test_a_training_that_begins_again_has_one_curve(
    demo: Path,
    tracked: Recipe,
    tmp_path: Path,
    server: Any,
    logged: Logged,
    acting_report: Callable[..., Report],
) -> None:
    run = Run(tmp_path / "run")
    with pytest.raises(PowerCut):
        train(demo, replace(tracked, save_seconds=60), run.path, acting_report(1, power_cut))
    assert server.rows == []
    assert resume(run)
    assert [step for step, _ in server.rows] == logged(run)
    assert server.known_ids == [None, "number 7"]


def test_a_failure_is_said_once_and_does_not_stop_the_training(
    demo: Path,
    tracked: Recipe,
    tmp_path: Path,
    server: Any,
    capsys: pytest.CaptureFixture[str],
    logged: Logged,
    acting_report: Callable[..., Report],
) -> None:
    server.fail_at = 2
    run, _ = train(demo, tracked, tmp_path / "run", acting_report(3, ctrl_c))
    printed = capsys.readouterr().err
    assert printed.count("mlflow failed (ConnectionError: the server has gone). Training goes on") == 1
    assert len(server.rows) == 2
    server.fail_at = None
    assert resume(run)
    assert [step for step, _ in server.rows] == logged(run)  # what it missed came with the resumed training


def test_a_tracker_that_does_not_start_does_not_stop_the_training(
    demo: Path, tracked: Recipe, tmp_path: Path, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.fails_to_start = True
    run, finished = train(demo, tracked, tmp_path / "run")
    assert finished
    assert "mlflow failed (ConnectionError: no server at localhost)" in capsys.readouterr().err
    assert json.loads(run.trackers_file.read_text()) == {"mlflow": {"id": None, "rows": 0}}
    assert server.num_finished == 0


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"mlflow": {"id": 3, "rows": 1}}', '{"mlflow": 1}'])
def test_a_damaged_record_costs_the_name_of_the_training(
    demo: Path,
    tracked: Recipe,
    tmp_path: Path,
    server: Any,
    acting_report: Callable[..., Report],
    damage: str,
) -> None:
    run, _ = train(demo, tracked, tmp_path / "run", acting_report(1, ctrl_c))
    run.trackers_file.write_text(damage)
    assert resume(run)
    assert server.known_ids == [None, None]


def test_a_training_that_fails_before_its_first_step_leaves_nothing(
    demo: Path, tracked: Recipe, tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(run: Run, *arguments: Any) -> Any:
        (run.path / "mlflow").mkdir()
        (run.path / "mlflow" / "mlflow.db").touch()
        return server.start(run, *arguments)

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(PROGRAMS, "mlflow", Program("json", start))
    monkeypatch.setattr(ImageClassifier, "loss", fail)
    with pytest.raises(TrainingError, match="out of memory"):
        train(demo, tracked, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_tracker_that_is_not_asked_for_leaves_no_file(trained: Path) -> None:
    assert not Run(trained).trackers_file.exists()
    assert all("learning_rate" in row for row in read_log(Run(trained).log_file) if "val" not in row)


def test_settings_are_the_fields_with_a_value_as_numbers_and_text() -> None:
    settings = tracker_settings(Recipe(max_minutes=3, split_file=Path("split.json"), scale=(0.5, 2.0)))
    assert settings["max_minutes"] == 3
    assert settings["split_file"] == "split.json"
    assert settings["scale"] == "[0.5, 2.0]"
    assert "epochs" not in settings
    assert "log_with" not in settings
