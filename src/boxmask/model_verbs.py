"""The public functions for models. torch is imported inside, so that `import boxmask` is quick."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from boxmask.errors import UsageError
from boxmask.missing_packages import needs_packages
from boxmask.progress import Progress
from boxmask.run_paths import run_paths

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from boxmask.evaluation.contract import Evaluation
    from boxmask.exporting.export import Export
    from boxmask.models.table import AnyModel
    from boxmask.prediction.view_options import ViewKeywords
    from boxmask.runs.options import RecipeOptions
    from boxmask.runs.recipe import Recipe
    from boxmask.runs.run import Run
    from boxmask.runs.splits import Split
    from boxmask.runtime.load import AnyExportedModel

RunLike: TypeAlias = "Run | str | os.PathLike[str]"
"""A `Run`, the path of its folder, of a checkpoint or of an exported file, or a name from
`boxmask weights list`."""

RunsLike: TypeAlias = "Run | str | os.PathLike[str] | Sequence[Run | str | os.PathLike[str]]"
"""A run, or several, which form an ensemble."""


@needs_packages("boxmask.train")
def train(
    data: str | os.PathLike[str],
    *,
    recipe: Recipe | None = None,
    out: str | os.PathLike[str] | None = None,
    **options: Unpack[RecipeOptions],
) -> Run:
    """Train a model on labeled photos. Returns the run, whose folder holds the weights.

        run = boxmask.train("my-photos/", model="faster-rcnn", max_minutes=10)

    data:    a folder or label file in any supported format
    recipe:  a `boxmask.Recipe`
    out:     the folder to write, which must not exist; by default runs/MODEL-NUMBER
    options: fields of the recipe that replace its values; `boxmask train --help` describes them.
             `model_options` takes a dictionary, for example {"nms_iou": 0.4}

    Ctrl-C and SIGTERM stop the training after the current step and save it; `run.finished` is then False. In
    other threads than the main one, signals stay as they are. No global random state changes.
    Raises LabelError, PhotoError, WeightsError, UsageError, OutputError or TrainingError.
    """
    from boxmask.options import check_names
    from boxmask.recipe_keywords import recipe_fields
    from boxmask.runs.recipe import Recipe
    from boxmask.training.train import train as start_training

    fields = recipe_fields(options)
    check_names("train", fields, Recipe)
    return start_training(Path(data), replace(recipe or Recipe(), **fields), Path(out) if out else None)[0]


@overload
def load(
    run: RunLike, device: str = "auto", *, threads: int | None = None
) -> AnyModel | AnyExportedModel: ...


@overload
def load(
    run: RunsLike, device: str = "auto", *, threads: int | None = None, **views: Unpack[ViewKeywords]
) -> Any: ...


def load(
    run: RunsLike, device: str = "auto", *, threads: int | None = None, **views: Unpack[ViewKeywords]
) -> Any:
    """Load the model of a run, checkpoint or exported file, or published weights, ready to `predict`.

        detector = boxmask.load("runs/faster-rcnn-1")
        detector = boxmask.load("model.onnx")  # from `boxmask export`; torch is not needed
        detector = boxmask.load("torchvision/fasterrcnn_resnet50_fpn_v2")  # finds COCO's classes
        detector = boxmask.load(["runs/faster-rcnn-1", "runs/fcos-1"], tta=True)  # more accurate, slower

    run:     several form an ensemble; published weights (`boxmask weights list`) are downloaded once
    device:  "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...
    threads: number of threads, for exported files only; by default one per core that the process may use
    views:   fields of `boxmask.prediction.view_options.ViewOptions`; `boxmask predict --help` describes them

    Raises CheckpointError if it is missing, damaged or from another version, WeightsError for published
    weights that are unknown or cannot be downloaded, and UsageError for a device that is not there, or if a
    package is missing.
    """
    runs = run_paths(run)
    is_single = len(runs) == 1 and not views
    if is_single and runs[0].suffix.lower() == ".onnx":
        from boxmask.runtime.load import load_onnx

        model = load_onnx(runs[0], device, threads)
        if model.needs_proposals and find_spec("torch") is not None:
            from boxmask.tasks.predictors import add_config

            add_config(model)  # with Selective Search
        return model
    if threads is not None:
        raise UsageError(
            "threads works for a single ONNX file only. Leave it out; for PyTorch models, call "
            "torch.set_num_threads."
        )
    with needs_packages(f"{runs[0]} is not an ONNX file, so it" if is_single else "an ensemble"):
        from boxmask.prediction.view_options import views_from_keywords
        from boxmask.tasks.views import load_with_views
        from boxmask.weights.checkpoint import load_model
    if is_single:
        return load_model(runs[0], device)
    return load_with_views(runs[0], views_from_keywords(runs, views), device)


@needs_packages("boxmask.evaluate")
def evaluate(
    run: RunsLike,
    data: str | os.PathLike[str],
    split: Split = "test",
    *,
    on_bad_boxes: Literal["error", "skip"] | None = None,
    on_bad_photos: Literal["error", "skip"] = "error",
    on_unseen_classes: Literal["error", "skip"] = "error",
    classes: Sequence[str] | None = None,
    map: Mapping[str, str] | Sequence[str] = (),
    classes_file: str | os.PathLike[str] | None = None,
    on_unknown_colors: Literal["error", "skip"] | None = None,
    unseen: bool = False,
    pictures: str | os.PathLike[str] | None = None,
    html: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    device: str = "auto",
    **views: Unpack[ViewKeywords],
) -> Evaluation:
    """Evaluate a run, or several as an ensemble, on labeled photos.

        evaluation = boxmask.evaluate(run, "my-photos/")
        evaluation["AP50"], evaluation.interval("AP50")

    `boxmask evaluate --help` describes the options; `pictures` is a folder to draw into, and `html` a
    file for a report with tables, charts and photos. `evaluation.seen` names the photos that were seen in
    training, if any; `unseen=True` leaves them out.
    Raises LabelError, PhotoError, CheckpointError, OutputError or UsageError.
    """
    from boxmask.comparison.one_model import EvaluationFiles
    from boxmask.data.class_selection import as_renames
    from boxmask.options import check_choice
    from boxmask.prediction.view_options import views_from_keywords
    from boxmask.runs.splits import Split
    from boxmask.tasks.contract import LabelOptions
    from boxmask.tasks.views import load_with_views

    check_choice("split", split, Split)
    files = EvaluationFiles(pictures, html)
    runs = run_paths(run)
    options = LabelOptions(
        on_bad_boxes,
        on_bad_photos,
        on_unseen_classes,
        Path(classes_file) if classes_file else None,
        on_unknown_colors,
        None if classes is None else tuple(classes),
        as_renames(map),
        unseen,
        tuple(runs[1:]),
    )
    model = load_with_views(runs[0], views_from_keywords(runs, views), device)
    report = files.evaluate(runs[0], Path(data), split, model, options, progress)
    for message in (*report.notes, *report.errors):  # about pictures
        warnings.warn(message, stacklevel=3)  # a decorator wraps this function
    return report.evaluation


@needs_packages("boxmask.export")
def export(
    run: RunLike,
    out: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    int8: bool = False,
    calibrate: str | os.PathLike[str] | None = None,
    max_loss: float | None = None,
    certificate: str | os.PathLike[str] | None = None,
    browser: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Export:
    """Write a model as one ONNX file, from the pixels of a photo to the objects in it.

        exported = boxmask.export(run, "model.onnx")

    data:      a folder of photos on which the file and the model are compared; by default the validation
               photos of the training, or generated photos if they are no longer there
    int8:      compute most layers in 8 bits
    calibrate: photos for `int8`, best with labels
    max_loss:  largest allowed drop of AP, mask AP, mIoU or accuracy with `int8`
    certificate: a page (.html) that compares PyTorch, ONNX Runtime and a browser; written after the file
    browser:   a folder with onnxruntime-web, for the certificate

    `boxmask export --help` describes the defaults. If the file differs from the model by more than rounding
    errors, it is not written.
    Raises UsageError, ExportError, LabelError, PhotoError, CheckpointError or OutputError.
    """
    from boxmask.certificate.options import certificate_options
    from boxmask.exporting.export import export_model, int8_options

    photos, calibration, page, web = (
        Path(path) if path else None for path in (data, calibrate, certificate, browser)
    )
    options = int8_options(int8, calibration, max_loss)
    certified = certificate_options(page, photos or calibration, web)
    exported = export_model(Path(run), Path(out), photos, progress, options)
    if certified is not None:
        from boxmask.certificate.certificate import write_certificate

        write_certificate(Path(run), exported.path, certified, progress)
    for message in exported.notes:
        warnings.warn(message, stacklevel=3)  # a decorator wraps this function
    return exported
