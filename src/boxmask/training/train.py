"""Training: `train` makes a run from labeled photos and a recipe, and `resume` continues a stopped run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxmask.atomic_write import atomic_write, remove_partial_files
from boxmask.cache_folder import with_archive_names
from boxmask.data.contract import SPLITS
from boxmask.data.split_file import read_split_file, write_split_file
from boxmask.errors import OutputError
from boxmask.kernels.compile_time import COMPILING, notice_compilation
from boxmask.messages import format_count, shorten_note
from boxmask.runs.ancestors import ancestors_of, starting_points
from boxmask.runs.claim import Claim, claim_folder, claim_run
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe, recipe_json, write_json
from boxmask.runs.same_photos import check_same_contents
from boxmask.tasks.table import check_recipe
from boxmask.training.accelerator import make_accelerator
from boxmask.training.curve import draw_curve
from boxmask.training.failure import save_error, save_on_failure
from boxmask.training.fitting.batch_size import fit_batch_size
from boxmask.training.fitting.fit import fit
from boxmask.training.initialization import InitSources, absolute_source, initialize
from boxmask.training.progress import Report
from boxmask.training.read_data import read_new_data, read_same_data
from boxmask.training.report_end import report_end
from boxmask.training.restore import (
    accept_left_out_photos,
    check_data,
    check_resumable,
    restore,
    restore_best_metric,
)
from boxmask.training.samples import write_samples
from boxmask.training.session import Session, Stage, run_stages
from boxmask.training.setup import make_session
from boxmask.training.signals import StopRequested, stop_on_signals
from boxmask.training.stages.plan import stages_of
from boxmask.training.state import SavedState
from boxmask.training.trackers.programs import check_programs
from boxmask.training.trackers.trackers import open_trackers
from boxmask.training.validate import is_out_of_patience, validate
from boxmask.weights.imagenet import SOURCES


def train(
    data: str | Path, recipe: Recipe, out: Path | None = None, report: Report | None = None
) -> tuple[Run, bool]:
    """Train a model on labeled photos; returns the run, and whether training reached its end.

    The run's folder is created first, so that no other training takes it. Until the first step is done,
    training that fails removes the folder. No global random state is read or changed.

    Raises LabelError, PhotoError, WeightsError, UsageError, OutputError or TrainingError.
    """
    sources, report = InitSources.from_recipe(recipe), report or Report()
    recipe = sources.resolve(recipe)
    check_recipe(recipe)
    check_programs(recipe.log_with)
    recipe = recipe.with_method_defaults()
    with claim_folder(out, recipe.model) as claim:
        _note_missing_lock(claim, report)
        return claim.run, _train_new(claim, Path(data), recipe, sources, report)


def resume(run: Run, data: Path | None = None, report: Report | None = None) -> bool:
    """Continue a stopped training; True if it reached its end.

    A training that was killed before it saved anything begins again.

    data: where the photos are now, if they have moved

    Raises CheckpointError if there is nothing to resume, or if the data, the recipe or the run's files have
    changed; UsageError if another process trains the run; and what `train` raises.
    """
    check_resumable(run)
    with claim_run(run) as claim:
        check_resumable(run)  # another process may have finished it meanwhile
        remove_partial_files(run.path)
        recipe, data_before = read_recipe(run)
        check_programs(recipe.log_with)
        recipe, report = replace(recipe, split_file=run.split_file), report or Report()
        _note_missing_lock(claim, report)
        if run.resume_file.is_file():
            return _continue(run, data or data_before, recipe, report)
        sources = InitSources.from_recipe(recipe)
        return _train_new(claim, data or data_before, recipe, sources, report, again=True)


def _train_new(
    claim: Claim, data: Path, recipe: Recipe, sources: InitSources, report: Report, *, again: bool = False
) -> bool:
    """Train from the first step; True if it reached the end.

    again: whether the training began before, and was killed before it saved anything
    """
    run, stages = claim.run, stages_of(recipe)
    dataset = (read_same_data if again else read_new_data)(data, recipe, run, report)
    accelerator = make_accelerator(recipe)
    recipe = sources.fit_limits(recipe, dataset)
    recipe = fit(dataset, recipe, accelerator, report, inherited=sources.has_detector)
    recipe = fit_batch_size(dataset, recipe, accelerator, report)
    session = make_session(dataset, recipe, run, report, accelerator)
    initialize(session, sources, data)
    if again:
        accept_left_out_photos(session, session.task.photos(dataset))
        check_data(run, session.state.fingerprint)
        check_same_contents(run, session.task.photos(dataset))
        restore_best_metric(session)
        report.message("nothing was saved before: training begins at the first step")
        run.log_file.unlink(missing_ok=True)
    else:
        _write_inputs(session, dataset, data)
    try:
        return _run(session, stages, dataset, resumed=False)
    finally:
        if session.state.has_trained or run.has_weights:
            claim.keep()


def _continue(run: Run, data: Path, recipe: Recipe, report: Report) -> bool:
    """Continue from the saved state; True if it reached the end.

    Pretrained weights, which the state replaces, are not read again: their files may be gone.
    """
    saved, stages = SavedState.read(run), stages_of(recipe)
    dataset = read_same_data(data, recipe, run, report)
    accelerator = make_accelerator(recipe)
    session = make_session(dataset, recipe, run, report, accelerator, pretrained=False)
    check_same_contents(run, session.task.photos(dataset))
    accept_left_out_photos(session, session.task.photos(dataset))
    restore(session, stages, saved)
    return _run(session, stages, dataset, resumed=True)


def _note_missing_lock(claim: Claim, report: Report) -> None:
    """Say that two trainings at once would not notice each other."""
    if claim.lock is None:
        report.message(f"note: the disk of {claim.run.path} has no file locks; do not train it twice at once")


def _write_inputs(session: Session, dataset: Any, data: Path) -> None:
    """Write split.json, notes.txt and, last, recipe.json: a run with a recipe has the others as well."""
    run = session.run
    given = session.recipe.split_file
    unused = read_split_file(given).unused if given else ()
    write_split_file(session.task.photos(dataset), run.split_file, unused)
    ancestors_of(starting_points(session.recipe)).write(run)
    if dataset.notes:
        with atomic_write(run.notes_file) as partial:
            partial.write_text("\n".join(dataset.notes) + "\n", encoding="utf-8")
    recipe = _with_absolute_paths(session.recipe)
    write_json(run.recipe_file, recipe_json(recipe, data, session.state.fingerprint))


def _with_absolute_paths(recipe: Recipe) -> Recipe:
    """Return a recipe that can be resumed from any current folder."""
    is_file = recipe.weights not in SOURCES
    return replace(
        recipe,
        weights=str(Path(recipe.weights).absolute()) if is_file else recipe.weights,
        init=recipe.init and str(absolute_source(Path(recipe.init))),
        detector=recipe.detector and absolute_source(recipe.detector),
        classifier=recipe.classifier and absolute_source(recipe.classifier),
        split_file=recipe.split_file and recipe.split_file.absolute(),
        classes_file=recipe.classes_file and recipe.classes_file.absolute(),
    )


# ---------------------------------------------------------------- from the current step on


def _run(session: Session, stages: Sequence[Stage], dataset: Any, *, resumed: bool) -> bool:
    """Train to the end or to a stop, validate at the end, and draw the curve; True at the end.

    resumed: whether the current stage has already begun
    """
    run, report = session.run, session.report
    report.log = run.log_file
    with (
        report,
        stop_on_signals(session.stop),
        notice_compilation(lambda: report.message(f"{COMPILING}; this time does not count")),
        open_trackers(run, session.recipe, report),
    ):
        _report_data(session, dataset)
        if not resumed:
            write_samples(session)
        finished = run_stages(stages, session, resumed) and _finish(session)
        _draw_curve(session)
        if session.left_out:
            count = format_count(len(session.left_out), "photo")
            report.message(f"note: left out while training: {count} that could not be read, named above")
        if finished:
            run.remove_leftovers()
    return finished


def _finish(session: Session) -> bool:
    """Validate, and save the last weights with the metrics; False if a stop was requested meanwhile.

    Raises TrainingError if the weights cannot be saved.
    """
    try:
        with save_on_failure(session):
            if not is_out_of_patience(session):
                validate(session, 1.0)
    except StopRequested:
        saved, finished = session.checkpoints.save(), False
    else:
        saved, finished = session.checkpoints.save_final(), True
        report_end(session)
    if not saved:
        raise save_error(session)
    return finished


def _draw_curve(session: Session) -> None:
    try:
        draw_curve(session.run.log_file, session.run.curve_file)
    except OutputError as error:
        session.report.message(f"warning: {error} The run has no curve.")


def _report_data(session: Session, dataset: Any) -> None:
    photos, report = session.task.photos(dataset), session.report
    objects = f", with {_split_sizes(dataset)} objects to classify" if len(dataset) != len(photos) else ""
    names = ", ".join(dataset.class_names[:8]) + (", ..." if len(dataset.class_names) > 8 else "")
    data = with_archive_names(str(dataset.root))
    report.message(f"{session.recipe.model} on {data}: {_split_sizes(photos)} photos{objects}; {names}")
    for note in dataset.notes:
        report.message(f"note: {shorten_note(note, session.run.notes_file)}")
    report.message(f"run: {session.run.path}")


def _split_sizes(dataset: Any) -> str:
    return ", ".join(f"{len(dataset.split(name))} {name}" for name in SPLITS)
