"""The programs that show the log of a training, each started through its tracker in accelerate.

All of them write into the run by default, and none uses the network: MLflow only does with
MLFLOW_TRACKING_URI, and Weights & Biases with WANDB_MODE, if the user's environment sets them.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from boxmask.errors import UsageError
from boxmask.runs.run import MLFLOW, TENSORBOARD, Run

PROJECT = "boxmask"  # the experiment in MLflow, and the project in Weights & Biases

Settings = Mapping[str, bool | int | float | str]
"""The recipe, as trackers take it."""


@dataclass(frozen=True)
class StartedTracker:
    """A tracker that takes rows.

    tracker:  a GeneralTracker of accelerate
    id:       the program's name for the training, under which a resumed training continues; "" if it has none
    has_time: whether its `log` takes the time of a row
    """

    tracker: Any
    id: str = ""
    has_time: bool = False


@dataclass(frozen=True)
class Program:
    """A program that shows the log of a training.

    package: what to install
    start:   starts its tracker: run, settings, id of the training if it was started before -> tracker
    """

    package: str
    start: Callable[[Run, Settings, str | None], StartedTracker]


def check_programs(names: tuple[str, ...]) -> None:
    """Raise UsageError for a program that is not installed."""
    for name in names:
        package = PROGRAMS[name].package
        found = find_spec(package)
        if found is None or found.origin is None:  # a folder of its runs, such as wandb/, has no origin
            raise UsageError(
                f"--log-with {name}: the package {package} is not installed. Install it with: "
                f"pip install {package}"
            )


def start_tensorboard(run: Run, settings: Settings, known_id: str | None) -> StartedTracker:
    """Start TensorBoard's tracker, which writes into the run's folder tensorboard/."""
    from accelerate.tracking import TensorBoardTracker

    tracker = TensorBoardTracker(TENSORBOARD, run.path)
    _start(tracker)
    if known_id is None:  # not by the tracker's own method, which shows the settings as a second training
        tracker.writer.add_hparams(dict(settings), {}, run_name=".")
    return StartedTracker(tracker, has_time=True)


def start_mlflow(run: Run, settings: Settings, known_id: str | None) -> StartedTracker:
    """Start MLflow's tracker, which writes into the run's folder mlflow/, or to MLFLOW_TRACKING_URI."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
    import mlflow
    from accelerate.tracking import MLflowTracker

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it announces each new table
    artifacts = None
    if "MLFLOW_TRACKING_URI" not in os.environ:
        folder = (run.path / MLFLOW).absolute()
        folder.mkdir(exist_ok=True)
        artifacts = (folder / "artifacts").as_uri()
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    tracker = MLflowTracker(PROJECT, logging_dir=artifacts, run_id=known_id, run_name=run.path.name)
    _start(tracker)
    if known_id is None:
        tracker.store_init_configuration(dict(settings))
    return StartedTracker(tracker, tracker.tracker.info.run_id)


def start_wandb(run: Run, settings: Settings, known_id: str | None) -> StartedTracker:
    """Start the tracker of Weights & Biases, which writes into the run's folder wandb/."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read when wandb is imported
    import wandb
    from accelerate.tracking import WandBTracker

    quiet = wandb.Settings(silent=True, console="off", disable_git=True, disable_code=True)
    tracker = WandBTracker(
        PROJECT,
        dir=str(run.path),
        mode=os.environ.get("WANDB_MODE", "offline"),
        id=known_id or secrets.token_hex(4),
        name=run.path.name,
        resume="allow",
        config=dict(settings),
        settings=quiet,
    )
    _start(tracker)
    return StartedTracker(tracker, tracker.tracker.id)


def _start(tracker: Any) -> None:
    """Start a tracker; those of older versions of accelerate start when they are made."""
    if hasattr(tracker, "start"):
        tracker.start()


PROGRAMS: dict[str, Program] = {
    "tensorboard": Program("tensorboard", start_tensorboard),
    "mlflow": Program("mlflow", start_mlflow),
    "wandb": Program("wandb", start_wandb),
}
