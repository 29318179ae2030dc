"""The verb `train`: from labeled photos and a recipe to a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from boxmask.atomic_write import atomic_write, remove_partial_files
from boxmask.data.contract import SPLITS
from boxmask.data.messages import shorten_note
from boxmask.data.split import write_split_file
from boxmask.errors import CheckpointError, UsageError
from boxmask.pipeline.device import resolve_device
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, choose_folder, read_recipe, recipe_json, write_json
from boxmask.tasks.table import check_recipe, task_of
from boxmask.training.curve import draw_curve
from boxmask.training.initialization import InitSources
from boxmask.training.progress import Report, forget_after
from boxmask.training.session import Session, Stage, run_stages
from boxmask.training.setup import config_of, fresh_network, initial_state
from boxmask.training.signals import StopRequest, stop_on_signals
from boxmask.training.stages.plan import stages_of
from boxmask.training.state import State
from boxmask.training.validate import validate
from boxmask.weights.imagenet import backbone_weights, origin


def train(
    data: str | Path, recipe: Recipe, out: Path | None = None, report: Report | None = None
) -> tuple[Run, bool]:
    """Train a model on labeled photos; gives the run, and whether it came to its end.

    Labels, the headers of the photos and the recipe are checked first: nothing is written before. A training
    that fails before its first checkpoint leaves nothing either.
    Raises LabelError, PhotoError, WeightsError, UsageError or TrainingError.
    """
    check_recipe(recipe)
    report, recipe = report or Report(), recipe.with_method_defaults()
    run, stages = Run(choose_folder(out, recipe.model)), stages_of(recipe)
    parents = InitSources.of(recipe)
    recipe = parents.backbone_for(recipe)
    dataset = task_of(recipe.model).read(Path(data), recipe)
    session = _session(dataset, recipe, run, report, parents)
    with _nothing_or_weights(run):
        lasting = replace(recipe, classes_file=recipe.classes_file and recipe.classes_file.absolute())
        write_json(run.recipe_file, recipe_json(lasting, Path(data), session.state.fingerprint))
        write_split_file(session.task.photos(dataset), run.split_file)
        _write_notes(dataset, run)
        return run, _fit(session, stages, dataset, resumed=False)


def resume(run: Run, data: Path | None = None, report: Report | None = None) -> bool:
    """Go on with a training that was stopped; True if it came to its end.

    data: where the photos are now, if they have moved

    Raises CheckpointError if there is nothing to go on from, or the data has changed.
    """
    if not run.resume_file.is_file():
        done = "it is complete" if run.last_checkpoint.is_file() else "this is not a run, or it had not begun"
        raise CheckpointError(f"{run.path}: there is nothing to resume: {done}.")
    before, trained_on = read_recipe(run)
    recipe = replace(before, split_file=run.split_file)
    dataset = task_of(recipe.model).read(data or trained_on, recipe)
    session = _session(dataset, recipe, run, report or Report(), None)
    stages = stages_of(recipe)
    stage = stages[State.saved_stage(run)]
    stage.begin(session, 0.0)
    session.state.load(run)
    remove_partial_files(run.path)
    forget_after(run.log_file, stage.name, session.state.clock.step)
    return _fit(session, stages, dataset, resumed=True)


def _session(dataset: Any, recipe: Recipe, run: Run, report: Report, parents: InitSources | None) -> Session:
    """Everything that the stages share, before the first.

    parents: what the network is joined from, which is said; None where a saved state will replace it
    """
    config, accelerator = config_of(dataset, recipe), _accelerator(recipe)

    def fresh() -> Model:
        weights = None if recipe.has_init else backbone_weights(config.backbone, recipe.weights)
        return fresh_network(recipe, config, weights, accelerator.device)

    state = initial_state(dataset, recipe, fresh())
    if parents is not None:
        own = f"backbone: {config.backbone}, {origin(config.backbone, recipe.weights)}"
        for line in parents.transfer(state.network) if recipe.has_init else (own,):
            report.say(line)
    photos = (dataset.split("train"), dataset.split("val"))
    return Session(
        state, recipe, task_of(recipe.model), *photos, run, accelerator, report, StopRequest(), fresh
    )


@contextmanager
def _nothing_or_weights(run: Run) -> Iterator[None]:
    """Make the run's folder; take it away again if the block fails before it holds weights."""
    run.path.mkdir(parents=True)
    try:
        yield
    except BaseException:
        if not run.has_weights:
            shutil.rmtree(run.path)
        raise


def _write_notes(dataset: Any, run: Run) -> None:
    if dataset.notes:
        with atomic_write(run.notes_file) as partial:
            partial.write_text("\n".join(dataset.notes) + "\n", encoding="utf-8")


def _accelerator(recipe: Recipe) -> Accelerator:
    """For the recipe's device and precision; raises UsageError where the device cannot do it."""
    AcceleratorState._reset_state(reset_partial_state=True)  # what an earlier training chose
    refusal = f"--precision {recipe.precision} is not supported on this device. Use --precision no."
    device = resolve_device(recipe.device)
    if device.index is not None:
        torch.cuda.set_device(device)  # accelerate takes the current GPU
    try:
        accelerator = Accelerator(mixed_precision=recipe.precision, cpu=device.type == "cpu")
    except ValueError as error:
        raise UsageError(f"{refusal} ({error})") from error
    if recipe.precision == "fp16" and accelerator.device.type == "cpu":  # accelerate would ignore it
        raise UsageError(refusal)
    if accelerator.num_processes > 1:
        raise UsageError("training on several devices at once is not supported yet: start one process")
    return accelerator


def _fit(session: Session, stages: list[Stage], dataset: Any, *, resumed: bool) -> bool:
    """Train to the end or to a stop, judge the result, and draw the curve."""
    run, report = session.run, session.report
    report.log = run.log_file
    with report, stop_on_signals(session.stop):
        _announce(session, dataset)
        finished = run_stages(stages, session, resumed)
        if finished:
            validate(session, 1.0)
            session.state.save_last(run)  # with the figures
            run.remove_leftovers()
    draw_curve(run.log_file, run.curve_file)
    return finished


def _announce(session: Session, dataset: Any) -> None:
    photos, report = session.task.photos(dataset), session.report
    parts = f", with {_by_split(dataset)} objects to be classified" if len(dataset) != len(photos) else ""
    names = ", ".join(dataset.class_names[:8]) + (", ..." if len(dataset.class_names) > 8 else "")
    report.say(f"{session.recipe.model} on {dataset.root}: {_by_split(photos)} photos{parts}; {names}")
    for note in dataset.notes:
        report.say(f"note: {shorten_note(note, session.run.notes_file)}")
    report.say(f"run: {session.run.path}")


def _by_split(dataset: Any) -> str:
    return ", ".join(f"{len(dataset.split(name))} {name}" for name in SPLITS)
