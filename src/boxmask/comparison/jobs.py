"""The work on each model of a comparison: what to train, run and measure, and where the files go."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.options import CompareOptions
from boxmask.errors import CheckpointError, UsageError
from boxmask.file_kinds import is_file, is_folder
from boxmask.options import option
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.runs.serialization import recipe_from_dict, recipe_to_dict
from boxmask.runtime.load import is_onnx_name
from boxmask.runtime.metadata import read_metadata as read_onnx_metadata
from boxmask.runtime.onnx_file import read_onnx_file
from boxmask.tasks.table import check_recipe
from boxmask.weights.checkpoint import checkpoint_path, read_metadata
from boxmask.weights.published.manifest import find_weights, is_published_name

SLUG_LENGTH = 60  # characters of the name of a given model, so that every file system takes it


@dataclass(frozen=True)
class Job:
    """One model of a comparison. With folds, a method has one per fold, all with the same name.

    name:   shown to the user
    slug:   name of its folders
    source: the run, checkpoint or ONNX file
    recipe: of the training; None if it was trained elsewhere
    fold:   1, 2, ..: the photos that it is tested on; None: all that are evaluated
    """

    name: str
    slug: str
    source: Path
    recipe: Recipe | None
    fold: int | None = None

    @property
    def title(self) -> str:
        """The name and the fold."""
        return self.name if self.fold is None else f"{self.name}, fold {self.fold}"

    @property
    def is_onnx(self) -> bool:
        """Whether it is an exported file."""
        return is_onnx_name(self.source)

    @property
    def weights_file(self) -> Path:
        """The file that holds the weights. Raises CheckpointError if a run has none."""
        return self.source if self.is_onnx else checkpoint_path(self.source)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the process of the model."""
        recipe = self.recipe and recipe_to_dict(self.recipe)
        return {**vars(self), "source": str(self.source), "recipe": recipe}

    @staticmethod
    def from_dict(content: dict[str, Any]) -> Job:
        """What `to_dict` returned."""
        recipe = content["recipe"] and recipe_from_dict(content["recipe"])
        return Job(**{**content, "source": Path(content["source"]), "recipe": recipe})


def training_jobs(
    methods: Sequence[str], options: CompareOptions, folder: ComparisonFolder
) -> tuple[Job, ...]:
    """The trainings of all methods with all seeds, those of a method and seed on all folds together.

    Raises UsageError for an option that a method lacks.
    """
    first = options.recipe.seed
    folds = range(1, options.folds + 1) if options.folds else (None,)
    return tuple(
        _training_job(method, seed, fold, options, folder)
        for method in methods
        for seed in range(first, first + options.seeds)
        for fold in folds
    )


def _training_job(
    method: str, seed: int, fold: int | None, options: CompareOptions, folder: ComparisonFolder
) -> Job:
    split_file = folder.split_file if fold is None else folder.fold_file(fold)
    recipe = replace(
        options.recipe.of_model(method, seed),
        split_file=split_file.absolute(),
        split_seed=None,
        group_by=None,
    )
    check_recipe(recipe)
    slug = f"{method}-seed-{seed}" + ("" if fold is None else f"/fold-{fold}")
    name = method if options.seeds == 1 else f"{method} (seed {seed})"
    return Job(name, slug, folder.run(slug), recipe, fold)


def given_jobs(runs: Sequence[Path], taken: Sequence[str]) -> tuple[Job, ...]:
    """The models that join as they are. Names are those of their folders or files, or the whole path.

    taken: names that others have

    Raises CheckpointError for a model that does not exist.
    """
    names = [_short_name(run) for run in runs]
    used = [*taken, *names]
    jobs = []
    for run, short in zip(runs, names, strict=True):
        if not (is_folder(run) or is_file(run) or is_published_name(run)):
            raise CheckpointError.in_file(run, "there is no such run or file. Check the path.")
        name = short if used.count(short) == 1 else str(run)
        jobs.append(Job(name, _slug(run), run, None))
    return tuple(dict.fromkeys(jobs))


def _slug(run: Path) -> str:
    """The name of the folders of a given model. Two paths have two names, also where case does not count."""
    path = run.absolute() if is_folder(run) or is_file(run) else run
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return f"given-{re.sub(r'[^A-Za-z0-9.-]+', '-', run.name)[:SLUG_LENGTH]}-{digest}"


def jobs_by_model(jobs: Sequence[Job]) -> tuple[tuple[Job, ...], ...]:
    """The jobs of each model: several for a method with folds."""
    models = groupby(jobs, key=lambda job: (job.name, job.slug if job.fold is None else ""))
    return tuple(tuple(of_model) for _, of_model in models)


def check_names(names: Sequence[str]) -> None:
    """Raise UsageError for a name that two models have."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"two models are called {name}. Give the detections another name: {option('detections')}."
            )


def method_of(source: Path) -> str:
    """The method of a run, a checkpoint, published weights or an ONNX file.

    Raises CheckpointError and WeightsError if it cannot be read.
    """
    if is_onnx_name(source):
        return read_onnx_metadata(source, read_onnx_file(source).properties).model
    if is_published_name(source):
        return find_weights(source.as_posix()).model
    return read_metadata(checkpoint_path(source)).model


def _short_name(run: Path) -> str:
    """The last part of the path that tells runs apart: "my-run" for my-run/best.safetensors."""
    folder = Run.from_path(run).path
    if run.suffix.lower() == ".safetensors" and Run(folder).recipe_file.is_file():
        return folder.resolve().name
    return run.resolve().name
