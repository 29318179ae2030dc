"""Training: `train` makes a run from labeled photos and a recipe, and `resume` continues a stopped run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from boxmask.atomic_write import atomic_write, remove_partial_files
from boxmask.data.contract import SPLITS
from boxmask.data.messages import shorten_note
from boxmask.data.split_file import write_split_file
from boxmask.errors import CheckpointError
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, choose_folder, read_recipe, recipe_json, write_json
from boxmask.tasks.table import check_recipe, task_of
from boxmask.training.accelerator import make_accelerator
from boxmask.training.curve import draw_curve
from boxmask.training.initialization import InitSources
from boxmask.training.progress import Report, drop_log_after
from boxmask.training.session import Session, Stage, run_stages
from boxmask.training.setup import initial_state, network_config, new_network
from boxmask.training.signals import StopRequest, stop_on_signals
from boxmask.training.stages.plan import stages_of
from boxmask.training.state import SavedState
from boxmask.training.validate import validate
from boxmask.weights.imagenet import backbone_weights, describe_origin


def train(
    data: str | Path, recipe: Recipe, out: Path | None = None, report: Report | None = None
) -> tuple[Run, bool]:
    """Train a model on labeled photos; returns the run, and whether training reached its end.

    The labels, the headers of the photos and the recipe are checked before anything is written. Training that
    fails before its first checkpoint removes the run's folder. No global random state is read or changed.

    Raises LabelError, PhotoError, WeightsError, UsageError or TrainingError.
    """
    check_recipe(recipe)
    recipe = recipe.with_method_defaults()
    run, stages, sources = (
        Run(choose_folder(out, recipe.model)),
        stages_of(recipe),
        InitSources.from_recipe(recipe),
    )
    recipe = sources.backbone_for(recipe)
    dataset = task_of(recipe.model).read(Path(data), recipe)
    accelerator = make_accelerator(recipe)
    session = _make_session(dataset, recipe, run, report or Report(), accelerator)
    _initialize(session, sources)
    with _run_folder(run):
        _write_inputs(session, dataset, Path(data))
        return run, _run_stages(session, stages, dataset, resumed=False)


def resume(run: Run, data: Path | None = None, report: Report | None = None) -> bool:
    """Continue a stopped training; True if it reached its end.

    data: where the photos are now, if they have moved

    Raises CheckpointError if there is nothing to resume or the data has changed, and what `train` raises.
    """
    if not run.resume_file.is_file():
        complete = run.last_checkpoint.is_file()
        reason = "the training is complete" if complete else "this is not a run, or its training never began"
        raise CheckpointError(f"{run.path}: there is nothing to resume: {reason}.")
    recipe, data_before = read_recipe(run)
    recipe, saved = replace(recipe, split_file=run.split_file), SavedState.read(run)
    dataset, stages = task_of(recipe.model).read(data or data_before, recipe), stages_of(recipe)
    accelerator = make_accelerator(recipe)
    session = _make_session(dataset, recipe, run, report or Report(), accelerator)
    stage = stages[saved.stage]
    stage.begin(session, 0.0)
    session.state.load(saved)
    remove_partial_files(run.path)
    drop_log_after(run.log_file, stage.name, session.state.clock.step)
    return _run_stages(session, stages, dataset, resumed=True)


# ---------------------------------------------------------------- before the first step


def _make_session(
    dataset: Any, recipe: Recipe, run: Run, report: Report, accelerator: Accelerator
) -> Session:
    """Return what the stages share, with a new network."""
    config = network_config(dataset, recipe)

    def build() -> Model:
        weights = None if recipe.has_init else backbone_weights(config.backbone, recipe.weights)
        return new_network(recipe, config, weights, accelerator.device)

    return Session(
        state=initial_state(dataset, recipe, build()),
        recipe=recipe,
        task=task_of(recipe.model),
        train=dataset.split("train"),
        val=dataset.split("val"),
        run=run,
        accelerator=accelerator,
        report=report,
        stop=StopRequest(),
        new_network=build,
    )


def _initialize(session: Session, sources: InitSources) -> None:
    """Initialize the network from the sources, if there are any, and report where its weights are from."""
    recipe, network = session.recipe, session.state.network
    if recipe.has_init:
        lines = sources.transfer(network)
    else:
        backbone = network.config.backbone
        lines = (f"backbone: {backbone}, {describe_origin(backbone, recipe.weights)}",)
    for line in lines:
        session.report.message(line)


@contextmanager
def _run_folder(run: Run) -> Iterator[None]:
    """Make the run's folder, and remove it again if the block fails before there are any weights."""
    run.path.mkdir(parents=True)
    try:
        yield
    except BaseException:
        if not run.has_weights:
            shutil.rmtree(run.path)
        raise


def _write_inputs(session: Session, dataset: Any, data: Path) -> None:
    """Write recipe.json, split.json and notes.txt."""
    run, recipe = session.run, session.recipe
    recipe = replace(recipe, classes_file=recipe.classes_file and recipe.classes_file.absolute())
    write_json(run.recipe_file, recipe_json(recipe, data, session.state.fingerprint))
    write_split_file(session.task.photos(dataset), run.split_file)
    if dataset.notes:
        with atomic_write(run.notes_file) as partial:
            partial.write_text("\n".join(dataset.notes) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- stages


def _run_stages(session: Session, stages: list[Stage], dataset: Any, *, resumed: bool) -> bool:
    """Train to the end or to a stop, validate at the end, and draw the curve."""
    run, report = session.run, session.report
    report.log = run.log_file
    with report, stop_on_signals(session.stop):
        _report_data(session, dataset)
        finished = run_stages(stages, session, resumed)
        if finished:
            validate(session, 1.0)
            session.state.save_last(run)  # again, now with the metrics
            run.remove_leftovers()
    draw_curve(run.log_file, run.curve_file)
    return finished


def _report_data(session: Session, dataset: Any) -> None:
    photos, report = session.task.photos(dataset), session.report
    objects = f", with {_split_sizes(dataset)} objects to classify" if len(dataset) != len(photos) else ""
    names = ", ".join(dataset.class_names[:8]) + (", ..." if len(dataset.class_names) > 8 else "")
    report.message(
        f"{session.recipe.model} on {dataset.root}: {_split_sizes(photos)} photos{objects}; {names}"
    )
    for note in dataset.notes:
        report.message(f"note: {shorten_note(note, session.run.notes_file)}")
    report.message(f"run: {session.run.path}")


def _split_sizes(dataset: Any) -> str:
    return ", ".join(f"{len(dataset.split(name))} {name}" for name in SPLITS)
