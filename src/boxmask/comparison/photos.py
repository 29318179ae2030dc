"""The photos of a comparison: read once, split once, and the same for all models."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.jobs import Job, method_of
from boxmask.comparison.options import CompareOptions
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.data.segmentation.pairs import has_label_maps
from boxmask.detectors.table import DETECTORS
from boxmask.errors import CheckpointError, LabelError, UsageError, WeightsError
from boxmask.evaluation.contract import Evaluation
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.evaluation.segmentation.evaluate import evaluate_label_maps
from boxmask.options import option
from boxmask.progress import Progress
from boxmask.runs.earlier_splits import earlier_splits
from boxmask.runs.run import Run
from boxmask.runs.splits import mark_seen
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.predictors import MODELS_OF_TASK
from boxmask.tasks.table import task_of

KINDS = {"detection": "detections", "segmentation": "label maps"}
"""What the models of each task find."""

NO_CLASSIFIERS = "compare takes detectors and segmenters. For classifiers, use boxmask evaluate."


@dataclass(frozen=True)
class ComparedPhotos:
    """The labeled photos of a comparison.

    data:    the path that the user gave
    task:    "detection" or "segmentation"
    methods: the methods to train
    full:    all photos
    dataset: those on which the models are evaluated; all photos with folds
    fold_of: (P,) the fold of each of these photos, 1, 2, ...; None without folds
    """

    data: Path
    task: str
    methods: tuple[str, ...]
    full: Any
    dataset: Any
    fold_of: Int[np.ndarray, " P"] | None = None

    def indices(self, job: Job) -> list[int]:
        """The evaluated photos that a model is run on."""
        if job.fold is None or self.fold_of is None:
            return list(range(len(self.dataset)))
        return np.flatnonzero(self.fold_of == job.fold).tolist()

    def files(self, job: Job) -> list[Path]:
        """The files of these photos."""
        return [self.dataset.path(photo).absolute() for photo in self.indices(job)]

    def evaluate(
        self, results: Any, class_names: tuple[str, ...], options: CompareOptions, jobs: Sequence[Job]
    ) -> Evaluation:
        """Evaluate the results of a model, with intervals.

        jobs: whose training photos are marked as seen; none if they are unknown

        Raises LabelError for classes that the model does not know.
        """
        dataset = self.dataset.with_seen(self._seen_by(jobs))
        policy = options.recipe.on_unseen_classes
        if self.task == "detection":
            return evaluate_detections(dataset, results, on_unseen_classes=policy)
        return evaluate_label_maps(dataset, results, class_names, on_unseen_classes=policy)

    def _seen_by(self, jobs: Sequence[Job]) -> Any:
        """The evaluated photos that the model that is run on them has seen in training."""
        found: dict[str, Any] = {}
        for job in jobs:
            seen = mark_seen(self.full, job.source, self.data).seen
            if seen is None:
                return None
            files = self.dataset.files[self.indices(job)].tolist()
            found |= {file: seen[file] for file in files if file in seen}
        return found if jobs else None


def read_photos(
    data: Path, options: CompareOptions, folder: ComparisonFolder, progress: Progress | None = None
) -> ComparedPhotos:
    """Read the photos with the recorded split, or draw one.

    Raises LabelError and PhotoError as training does, and UsageError for models of several tasks.
    """
    methods = _given_methods(data, options)
    task = "segmentation" if methods[0] in SEGMENTERS else "detection"
    first = "mask-rcnn" if "mask-rcnn" in methods else methods[0]
    recipe = options.recipe.of_model(first, options.recipe.seed)
    split_file = folder.fold_file(1) if options.folds else folder.split_file
    if split_file.is_file():
        recipe = replace(recipe, split_file=split_file, split_seed=None, group_by=None)
    given = [Run.from_path(run) for run in options.runs]
    earlier = earlier_splits(data, recipe, Run(folder.run("new")), given)
    kept = replace(recipe, split_file=None) if any(split.is_chosen for split in earlier) else recipe
    full: Any = task_of(first).read(data, kept, progress, earlier)
    if options.folds:  # how the labels were split does not count
        full = replace(full, splits=np.full(len(full), "test", dtype="<U5"))
    dataset = full.subset(np.flatnonzero(full.splits == options.split))
    if not len(dataset):
        raise LabelError(
            f"{data}: there are no {options.split} photos. Give a {option('split_file')} that names some, or "
            f"choose another {option('split')}."
        )
    if options.models is None:
        methods = () if options.runs or options.detections else _default_methods(full, task)
    return ComparedPhotos(data, task, methods, full, dataset)


def _given_methods(data: Path, options: CompareOptions) -> tuple[str, ...]:
    """The methods of the command, or one that reads the labels.

    Raises UsageError for classifiers, and for methods that find different things.
    """
    methods = options.models or _readable_methods(options.runs)[:1] or _methods_for(data)
    for method in methods:
        task_of(method)  # raises for an unknown one
    by_task = {name: [m for m in methods if m in table] for name, table in MODELS_OF_TASK.items()}
    if by_task["classification"]:
        raise UsageError(NO_CLASSIFIERS)
    if all(by_task[name] for name in ("detection", "segmentation")):
        parts = "; ".join(f"{name}: {', '.join(found)}" for name, found in by_task.items() if found)
        raise UsageError(
            f"{option('models')}: these models find different things ({parts}). Compare detectors with "
            "detectors, and segmenters with segmenters."
        )
    return methods


def _readable_methods(runs: Sequence[Path]) -> tuple[str, ...]:
    """The methods of the runs that can be read; the others are reported when it is their turn."""
    methods = []
    for run in runs:
        with suppress(CheckpointError, WeightsError):
            methods.append(method_of(run))
    return tuple(methods)


def _methods_for(data: Path) -> tuple[str, ...]:
    """A method that reads these labels."""
    if has_detection_labels(data):
        return (next(iter(DETECTORS)),)
    if has_label_maps(data):
        return (next(iter(SEGMENTERS)),)
    raise UsageError(f"{data}: found neither objects nor label maps. {NO_CLASSIFIERS}")


def _default_methods(full: Any, task: str) -> tuple[str, ...]:
    """The methods that suit the labels."""
    if task == "segmentation":
        return tuple(SEGMENTERS)
    has_masks = bool(full.has_mask.any())
    return tuple(name for name in DETECTORS if name != "mask-rcnn" or has_masks)
