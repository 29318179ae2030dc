"""Compare models: train each on the same photos, run it, measure it, and put all into one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from boxmask.comparison.contract import ComparedModel, Comparison, FailedModel, Speed
from boxmask.comparison.display import Display
from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.folds import draw_new_folds, record_folds
from boxmask.comparison.forms import onnx_file
from boxmask.comparison.found_by_model import FoundByModel, read_found_by
from boxmask.comparison.given_detections.read import read_given_detections
from boxmask.comparison.jobs import Job, check_names, given_jobs, jobs_by_model, training_jobs
from boxmask.comparison.options import CompareOptions, Form
from boxmask.comparison.photos import KINDS, ComparedPhotos, read_photos
from boxmask.comparison.plan import Schedule, describe_plan
from boxmask.comparison.processes import WorkStoppedError, run_worker
from boxmask.comparison.recorded_display import RecordedDisplay
from boxmask.comparison.results import has_results
from boxmask.comparison.short_trainings import describe_short_trainings
from boxmask.comparison.speed import measure_speed, measured_forms
from boxmask.comparison.statistics import analyze, compare_pairs, deciding_metric, describe, spreads_of
from boxmask.comparison.training_facts import read_trainings
from boxmask.errors import BoxmaskError, OutputError, UsageError
from boxmask.options import option
from boxmask.runs.run import Run
from boxmask.runs.serialization import recipe_to_dict
from boxmask.runs.work_folder import check_settings, claim_folder, record_split
from boxmask.runs.work_progress import WorkProgress
from boxmask.types import Detections

MAY_DIFFER = ("model", "seed", "workers", "cache_megabytes", "save_seconds", "log_with")
"""Fields of the recipe that may change within a comparison, or that other settings tell."""


def compare_models(
    data: Path, options: CompareOptions, out: Path, display: Display | None = None
) -> Comparison:
    """Train, run and measure all models, and write the result into a folder.

    What is done is skipped: the same call again finishes a comparison that was interrupted, however it ended.
    A model that fails does not stop the others.

    out: the folder; other models can join a comparison later, with the same settings and labels

    Raises UsageError for options that do not fit, other settings than in the folder, and a folder in which
    another process works; LabelError and PhotoError for the labels; OutputError if the disk is full.
    """
    display = display or Display()
    forms = measured_forms(options)
    with claim_folder(ComparisonFolder(out), ("folds",)) as folder:
        display = recorded = RecordedDisplay(display, WorkProgress(folder))
        photos = read_photos(data, options, folder, display.reading)
        if folder.is_begun:
            check_settings(folder, _settings(photos, options))
        folds = draw_new_folds(photos, options, folder, display.reading)
        check_settings(folder, _settings(photos, options))
        if options.folds is None:
            record_split(folder, photos.full)
        photos = record_folds(photos, options, folder, folds)
        jobs = training_jobs(photos.methods, options, folder)
        taken = [*(job.name for job in jobs), *(name for name, _ in options.detections)]
        jobs += given_jobs(options.runs, taken)
        models = jobs_by_model(jobs)
        check_names([*(model[0].name for model in models), *(name for name, _ in options.detections)])
        detections = [(name, file, _read_detections(file, photos)) for name, file in options.detections]
        display.begin(describe_plan(photos, jobs, options), deciding_metric(photos.task, ()))
        work = _Work(photos, options, forms, folder, display, Schedule(jobs, options))
        for model in models:
            work.add(model)
        for name, file, results in detections:
            work.add_detections(name, file, results)
        comparison = work.finish(jobs)
        _save(comparison, folder)
        recorded.finish()
    return comparison


def _save(comparison: Comparison, folder: ComparisonFolder) -> None:
    comparison.save_json(folder.json_file)
    comparison.save_csv(folder.csv_file)
    comparison.save_html(folder.report_file)


def _read_detections(file: Path, photos: ComparedPhotos) -> Sequence[Detections]:
    """The detections of another tool. Raises LabelError and UsageError if they do not fit."""
    if photos.task != "detection":
        raise UsageError(f"{option('detections')}: these labels have no boxes. Leave the option out.")
    return read_given_detections(file, photos.data, photos.full, photos.dataset)


def _settings(photos: ComparedPhotos, options: CompareOptions) -> dict[str, Any]:
    """What must not change within a comparison."""
    recipe = recipe_to_dict(options.recipe.of_model("", 0))
    shared = {name: value for name, value in recipe.items() if name not in MAY_DIFFER}
    data, labels = str(photos.data.resolve()), photos.full.fingerprint()
    return {"data": data, "labels": labels, "split": options.split, "folds": options.folds, **shared}


@dataclass
class _Work:
    """The models of a comparison so far."""

    photos: ComparedPhotos
    options: CompareOptions
    forms: tuple[Form, ...]
    folder: ComparisonFolder
    display: Display
    schedule: Schedule
    models: list[ComparedModel] = field(default_factory=list)
    failed: list[FailedModel] = field(default_factory=list)
    found: dict[str, FoundByModel] = field(default_factory=dict)

    def add(self, jobs: Sequence[Job]) -> None:
        """Do the work on a model that is not done yet, and add it. jobs: one, or one per fold"""
        name = jobs[0].name
        try:
            for job in jobs:
                self._run(job)
            self.found[name] = read_found_by(jobs, self.photos, self.folder)
            self.models.append(self._read(jobs, self.found[name]))
        except (WorkStoppedError, OutputError):
            raise
        except BoxmaskError as error:
            self.failed.append(FailedModel(name, str(error)))
        self.display.show(self.models, self.failed)

    def add_detections(self, name: str, file: Path, results: Sequence[Detections]) -> None:
        """Add the detections of another tool."""
        photos = self.photos
        class_names = photos.dataset.class_names
        evaluation = photos.evaluate(results, class_names, self.options, ())
        self.found[name] = FoundByModel(results, class_names)
        self.models.append(ComparedModel(name, None, file, evaluation, results, None, None, (), None, None))
        self.display.show(self.models, self.failed)

    def finish(self, jobs: tuple[Job, ...]) -> Comparison:
        """The comparison of all models."""
        photos, metric = self.photos, deciding_metric(self.photos.task, self.models)
        models = tuple(self._with_failures(model, metric) for model in self.models)
        differences, spreads = compare_pairs(photos, models, metric), spreads_of(jobs, models, metric)
        return Comparison(
            data=photos.data,
            split=self.options.split,
            dataset=photos.dataset,
            task=photos.task,
            metric=metric,
            models=models,
            failed=tuple(self.failed),
            differences=differences,
            sentences=(
                *describe_short_trainings(models),
                *describe(photos, models, metric, differences),
            ),
            spreads=spreads,
            folds=self.options.folds,
        )

    def _with_failures(self, model: ComparedModel, metric: str) -> ComparedModel:
        """The model with what it missed or got wrong, by masks if these decide."""
        self.display.working(model.name, "analyzing failures", None, "")
        return replace(model, failures=analyze(self.photos, self.found[model.name], metric))

    # ---------------------------------------------------------------- one model

    def _run(self, job: Job) -> None:
        """Train the model, run it on the photos and export it, as far as that is not done."""
        folder = self.folder.model(job.slug)
        exported = [form for form in self.forms if form != "torch" and not job.is_onnx and _has_speed(job)]
        files = self.photos.files(job)
        is_trained = job.recipe is None or Run(job.source).finished
        if (
            is_trained
            and has_results(job.weights_file, files, folder)
            and all(onnx_file(folder, form).is_file() for form in exported)
        ):
            return
        request = {
            "job": job.to_dict(),
            "data": str(self.photos.data.absolute()),
            "photos": [str(file) for file in files],
            "folder": str(folder.absolute()),
            "forms": exported,
            "device": self.options.recipe.device,
            "lock": str(self.folder.worker_lock.absolute()),
        }
        notes = run_worker(request, folder, lambda event: self._show(job, **event))
        for note in notes:
            self.display.note(f"{job.title}: {note}")

    def _read(self, jobs: Sequence[Job], found: FoundByModel) -> ComparedModel:
        """The model with its results, which are complete."""
        first, facts = jobs[0], found.facts
        assert facts is not None
        if facts.kind != KINDS[self.photos.task]:
            raise UsageError(f"{first.source}: {facts.model} finds {facts.kind}, and the others do not.")
        return ComparedModel(
            name=first.name,
            method=facts.model,
            source=first.source if first.fold is None else first.source.parent,
            evaluation=self.photos.evaluate(found.results, found.class_names, self.options, jobs),
            results=found.results,
            failures=None,
            training=read_trainings(jobs, self.folder),
            speeds=self._speeds(first, self.folder.model(first.slug)),
            parameters=facts.parameters,
            operations=facts.operations,
        )

    def _speeds(self, job: Job, folder: Path) -> tuple[Speed, ...]:
        """The speed of each form. A form that cannot be measured leaves a note."""
        files, seconds = self.photos.files(job), self.options.seconds
        try:
            return measure_speed(
                job,
                folder,
                files,
                self.forms,
                seconds,
                lambda done, total: self._show(job, "measuring speed", done / max(1, total)),
            )
        except OutputError:
            raise
        except BoxmaskError as error:
            self.display.note(f"{job.name}: the speed was not measured. {error}")
            return ()

    def _show(
        self,
        job: Job,
        step: str | None = None,
        share: float | None = None,
        minutes: float | None = None,
        **others: object,
    ) -> None:
        """Show the step of a model. minutes: of its training so far"""
        if step is not None:
            left = self.schedule.time_left(job, minutes)
            self.display.working(self.schedule.place(job), step, share, left)


def _has_speed(job: Job) -> bool:
    """Whether the speed of a training is measured: with folds, that of the first."""
    return job.fold in (None, 1)
