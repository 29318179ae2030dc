"""The accuracy of each form on the same labeled photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.certificate.forms import Form
from boxmask.errors import BoxmaskError
from boxmask.evaluation.contract import Interval
from boxmask.exporting.int8.accuracy import MEASURES, Measure
from boxmask.exporting.int8.photos import is_unlabeled
from boxmask.exporting.metadata import task_name
from boxmask.messages import format_count
from boxmask.models.table import AnyModel
from boxmask.options import option
from boxmask.progress import Progress
from boxmask.runs.run import Run, read_recipe
from boxmask.tasks.contract import LabelOptions
from boxmask.tasks.table import task_of
from boxmask.weights.published.manifest import is_published_name

MANY = 200  # photos, so that a browser needs minutes


@dataclass(frozen=True)
class Metric:
    """A metric of a form.

    interval: of the metric, at 95 %
    change:   the metric minus that of PyTorch
    change_interval: of the change; None for PyTorch
    """

    name: str
    value: float
    interval: Interval | None
    change: float
    change_interval: Interval | None


@dataclass(frozen=True)
class LabeledPhotos:
    """Validation photos with their labels, and what they are in words."""

    measure: Measure
    description: str


def find_labeled_photos(source: Path, model: AnyModel, data: Path | None) -> LabeledPhotos | str:
    """The validation photos of a data set, by default that of the training; or why there are none.

    At most 200 photos are taken, spread over all.
    """
    if data is None and (is_published_name(source) or not Run.from_path(source).recipe_file.is_file()):
        return f"The training data is not known. Give labeled photos with {option('data', 'DATA')}."
    try:
        folder = read_recipe(Run.from_path(source))[1] if data is None else data
        name = folder.resolve().name  # the page is for others, who do not have this machine's folders
        if is_unlabeled(folder):
            return f"The photos of {name} have no labels."
        dataset: Any = task_of(model).read_split(source, folder, "val", LabelOptions())
    except BoxmaskError as error:
        return f"There are no labeled validation photos: {error}"
    number = len(dataset)
    if number > MANY:
        dataset = dataset.subset(np.linspace(0, number - 1, MANY, dtype=int))
    photos = format_count(len(dataset), "validation photo")
    of = f"{photos} of {name}" if number <= MANY else f"{photos} of {name}, out of {number:,}"
    measure = MEASURES[task_name(task_of(model))](dataset, tuple(model.class_names))
    return LabeledPhotos(measure, of)


def measure_accuracy(
    photos: LabeledPhotos, forms: Sequence[Form], progress: Progress | None = None
) -> dict[str, tuple[Metric, ...]]:
    """The metrics of each form by its name. The first form is what others are compared with."""
    measure, expected, found = photos.measure, None, {}
    total = measure.photos * len(forms)
    for number, form in enumerate(forms):

        def report(done: int, _: int, before: int = number * measure.photos) -> None:
            if progress is not None:
                progress(before + done, total)

        predictor: Any = form.model
        results = measure.predict(predictor, report)
        expected = results if expected is None else expected
        found[form.name] = _metrics(measure, expected, results)
    return found


def _metrics(measure: Measure, expected: Any, results: Any) -> tuple[Metric, ...]:
    before, after, own = measure.scores(expected), measure.scores(results), measure.own_intervals(results)
    losses = {} if results is expected else measure.intervals(expected, results)
    changes = {
        name: Interval(0.0 - x.high, 0.0 - x.low) if x is not None else None for name, x in losses.items()
    }
    return tuple(
        Metric(name, after[name], own[name], after[name] - before[name], changes.get(name))
        for name in before
        if np.isfinite(before[name])
    )
