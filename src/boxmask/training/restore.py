"""Restore a stopped training. The data, the recipe and the files are checked before anything is loaded."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from boxmask.data.contract import SplitDataset
from boxmask.data.split_file import read_split_file
from boxmask.errors import CheckpointError
from boxmask.messages import format_count
from boxmask.runs.run import Run, read_fingerprint, read_recipe, versions
from boxmask.runs.serialization import recipe_to_dict
from boxmask.training.progress import drop_log_after
from boxmask.training.session import Session, Stage
from boxmask.training.state import SavedState, check_fingerprint
from boxmask.training.validate import deciding_metric, validation_is_due
from boxmask.weights.checkpoint import read_metadata

# Fields of the recipe that do not affect the rest of the training, or name files that the run has copies of.
NOT_COMPARED = (
    "split_file",
    "classes_file",
    "weights",
    "init",
    "detector",
    "classifier",
    "workers",
    "device",
    "log_with",
)


def check_resumable(run: Run) -> None:
    """Raise CheckpointError if there is nothing to resume."""
    if run.resume_file.is_file():
        return
    if run.last_checkpoint.is_file():
        reason = f"the training is complete. To go on from its weights: {_way_on(run)}"
    elif run.recipe_file.is_file() and run.split_file.is_file():
        return  # killed before the first save: it begins again
    else:
        reason = "this is not a run, or its training never began. Start it again, without --resume"
    raise CheckpointError(f"{run.path}: there is nothing to resume: {reason}.")


def _way_on(run: Run) -> str:
    """The command that starts from the weights of a finished run."""
    try:
        data = shlex.quote(str(read_recipe(run)[1]))
    except CheckpointError:
        data = "DATA"
    return f"boxmask train {data} --init {shlex.quote(str(run.path))}"


def accept_left_out_photos(session: Session, photos: SplitDataset) -> None:
    """Let a training continue without photos that have become unreadable, if its recipe skips such photos.

    It keeps its first fingerprint: without these photos, the labels cannot be compared.
    """
    num_left_out = len(read_split_file(session.run.split_file).splits) - len(photos)
    if session.recipe.on_bad_photos == "skip" and num_left_out > 0:
        session.state.fingerprint = read_fingerprint(session.run)
        count = format_count(num_left_out, "photo")
        session.report.message(f"note: training continues without {count} that it began with")


def check_data(run: Run, fingerprint: str) -> None:
    """Raise CheckpointError if the data is not that of recipe.json."""
    check_fingerprint(run.path, read_fingerprint(run), fingerprint)


def restore(session: Session, stages: Sequence[Stage], saved: SavedState) -> None:
    """Begin the stage of a saved state, load the state, and drop the rows of the log that come after it.

    Raises CheckpointError if the data, the network or the file does not fit.
    """
    state, run = session.state, session.run
    check_fingerprint(run.path, saved.metadata.fingerprint, state.fingerprint)
    _check_network(session, saved)
    if saved.stage > len(stages):
        raise CheckpointError(f"{saved.path}: this file is from a training with more stages. Train again.")
    stage = stages[min(saved.stage, len(stages) - 1)]  # after the last stage, the final validation is left
    session.is_restoring = True
    stage.begin(session, saved.minutes)
    session.is_restoring = False
    state.load(saved)
    restore_best_metric(session)
    _report_differences(session, saved)
    validates_again = state.clock.progress >= 1 or validation_is_due(session)
    drop_log_after(run.log_file, stage.name, state.clock.step, with_validation=validates_again)


def _check_network(session: Session, saved: SavedState) -> None:
    """Raise CheckpointError if the recipe gives another network than the saved one."""
    config = json.loads(json.dumps(asdict(session.state.network.config)))
    found = {"model": session.recipe.model, **config}
    expected = {"model": saved.metadata.model, **saved.metadata.config}
    if differences := _differences(expected, found):
        written_by = saved.metadata.versions.get("boxmask", "another version")
        raise CheckpointError(
            f"{session.run.recipe_file}: this recipe now gives another network than the one in training: "
            f"{differences}. Restore the file, use boxmask {written_by}, or train again."
        )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """List the names whose values differ, with both values."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(f"{name} {before.get(name)!r} is now {now.get(name)!r}" for name in names)


def restore_best_metric(session: Session) -> None:
    """Take the best metric from the best checkpoint, which may be newer than the state.

    Otherwise, a training that is killed between the two saves would replace the best weights with worse ones.
    """
    state, run = session.state, session.run
    if not len(session.val):
        return
    try:
        metrics = read_metadata(run.best_checkpoint).metrics
        state.best = deciding_metric(session.task.metrics, metrics)
    except CheckpointError:  # none yet, or damaged: the next validation writes it
        state.best = -1.0


def _report_differences(session: Session, saved: SavedState) -> None:
    """Report other versions of the libraries and an edited recipe: they change the training that follows."""
    report = session.report
    if differences := _differences(saved.metadata.versions, versions()):
        report.message(f"note: this training began with other versions: {differences}")
    before = saved.metadata.training.get("recipe", {})
    if differences := _differences(_compared(before), _compared(recipe_to_dict(session.recipe))):
        report.message(f"note: recipe.json was edited since the last save: {differences}")


def _compared(recipe: Mapping[str, Any]) -> dict[str, Any]:
    recipe = json.loads(json.dumps(recipe))
    return {name: value for name, value in recipe.items() if name not in NOT_COMPARED}
