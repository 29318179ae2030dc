"""The public function that compares models. It imports what it needs, so that `import boxmask` is quick."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from boxmask.missing_packages import needs_packages

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from boxmask.comparison.contract import Comparison
    from boxmask.runs.options import RecipeOptions
    from boxmask.runs.run import Run


@needs_packages("boxmask.compare")
def compare(
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    models: Sequence[str] | None = None,
    runs: Sequence[Run | str | os.PathLike[str]] = (),
    detections: Mapping[str, str | os.PathLike[str]] | None = None,
    seeds: int = 1,
    forms: Sequence[Literal["torch", "onnx", "int8"]] | None = None,
    split: Literal["test", "val"] = "test",
    folds: int | None = None,
    **options: Unpack[RecipeOptions],
) -> Comparison:
    """Train several models on the same photos, and compare their metrics and speed.

        comparison = boxmask.compare("my-photos/", models=["ssd", "fcos"], max_minutes=10, out="comparison")
        print(comparison)
        comparison.models[0].evaluation["AP"], comparison.models[0].speeds, comparison.sentences

    The same call again skips what is done, and finishes a comparison that was interrupted.

    data:       a folder or label file in any supported format
    out:        the folder to write: trainings, results, report.html, comparison.json and comparison.csv
    models:     methods to train; by default those that suit the labels, or none if others are given
    runs:       runs, checkpoints and ONNX files that join as they are
    detections: COCO JSON files of other tools, by the name to show
    seeds:      number of trainings per method, to see how much the metrics vary between trainings
    forms:      forms whose speed is measured; by default "torch", and "onnx" if its packages are installed
    split:      the photos that the models are evaluated on
    folds:      number of parts of the photos; each method is trained once per part, without its photos, and
                tested on them. None: one split
    options:    fields of the recipe for all trainings; `boxmask compare --help` describes them

    Raises LabelError, PhotoError, CheckpointError, UsageError or OutputError. A model that cannot be trained
    or run does not stop the others; see `Comparison.failed`.
    """
    from boxmask.comparison.compare import compare_models
    from boxmask.comparison.options import CompareOptions
    from boxmask.comparison.shared_recipe import SharedRecipe
    from boxmask.options import check_names
    from boxmask.recipe_keywords import recipe_fields

    fields = recipe_fields(options)
    check_names("compare", fields, SharedRecipe)
    chosen = CompareOptions(
        models=None if models is None else tuple(models),
        runs=tuple(Path(run) for run in runs),
        detections=tuple((name, Path(file)) for name, file in (detections or {}).items()),
        recipe=SharedRecipe(**fields),
        seeds=seeds,
        forms=None if forms is None else tuple(forms),
        split=split,
        folds=folds,
    )
    return compare_models(Path(data), chosen, Path(out))
