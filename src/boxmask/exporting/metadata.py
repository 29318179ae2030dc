"""What an exported file says about itself: its model, classes, training data, weights and metrics."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx

from boxmask.data.split_file import SplitFile, read_split_file
from boxmask.errors import LabelError, UsageError
from boxmask.models.table import AnyModel, name_of
from boxmask.runs.ancestors import read_ancestors
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe, versions
from boxmask.runtime.metadata import check_class_names
from boxmask.tasks.contract import Task
from boxmask.tasks.table import task_of
from boxmask.weights.checkpoint import checkpoint_path, read_metadata
from boxmask.weights.published.manifest import TIMM, find_weights, is_published_name, published_weights

KEY, NAMES_KEY, FORMAT = "boxmask", "names", 1
UNKNOWN = "unknown"


def add_metadata(model: onnx.ModelProto, network: AnyModel, source: Path) -> None:
    """Add the metadata to a model, under the key "boxmask", and the class names under "names".

    source: the run, checkpoint or name of published weights

    Raises UsageError for class names that the runtime refuses.
    """
    try:
        check_class_names(network.class_names, task_name(task_of(network)))
    except ValueError as error:
        raise UsageError(
            f"this model cannot be exported ({error}). Rename the class, and train again."
        ) from error
    entries = {KEY: describe(model, network, source), NAMES_KEY: list(network.class_names)}
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in entries.items()})


def add_int8(model: onnx.ModelProto, description: dict[str, Any]) -> None:
    """Add to the metadata of a model how it was quantized, as the field "int8"."""
    for entry in model.metadata_props:
        if entry.key == KEY:
            entry.value = json.dumps(json.loads(entry.value) | {"int8": description})


def describe(model: onnx.ModelProto, network: AnyModel, source: Path) -> dict[str, Any]:
    """The content of the key "boxmask"."""
    return {
        "format": FORMAT,
        "version": versions()["boxmask"],
        "model": name_of(network),
        "task": task_name(task_of(network)),
        "class_names": list(network.class_names),
        "config": asdict(network.config),
        "inputs": required_inputs(model),
        "training": describe_training(source),
        "weights": describe_weights(source),
        "evaluation": describe_evaluation(source),
    }


def required_inputs(model: onnx.ModelProto) -> list[str]:
    """The names of the inputs that have no default."""
    defaults = {tensor.name for tensor in model.graph.initializer}
    return [info.name for info in model.graph.input if info.name not in defaults]


def task_name(task: Task[Any, Any]) -> str:
    """ "detection", "segmentation" or "classification"."""
    return type(task).__name__.removesuffix("Task").lower()


def describe_training(source: Path) -> dict[str, Any]:
    """The fingerprint of the training data, and of the training photos; empty if they are not known."""
    split = None if is_published_name(source) else read_split(source)
    if split is None:
        return {}
    photos = [photo for photo, name in split.splits.items() if name == "train"]
    digests = sorted(split.contents[photo] for photo in photos if photo in split.contents)
    counts = {name: list(split.splits.values()).count(name) for name in ("train", "val", "test")}
    data = read_metadata(checkpoint_path(source)).fingerprint
    if len(digests) < len(photos):  # of some photos, the content is not known
        return {"data": data, "counts": counts}
    fingerprint = hashlib.blake2b("\n".join(digests).encode(), digest_size=16).hexdigest()
    return {"data": data, "photos": fingerprint, "counts": counts}


def read_split(source: Path) -> SplitFile | None:
    """The split of a run; None if it has none that can be read."""
    try:
        return read_split_file(Run.from_path(source).split_file)
    except LabelError:
        return None


def describe_evaluation(source: Path) -> dict[str, Any]:
    """The metrics on the validation photos of the run, or as published."""
    if not is_published_name(source):
        metrics = read_metadata(checkpoint_path(source)).metrics
        return {"on": "validation photos of the training", "metrics": metrics} if metrics else {}
    entry = find_weights(source.as_posix())
    return {"on": entry.measured_on, "metrics": dict(entry.metrics), "source": entry.source}


# ---------------------------------------------------------------------- weights


def describe_weights(source: Path) -> list[dict[str, str]]:
    """Where the weights come from: what each training started from, with licenses as far as known."""
    if is_published_name(source):
        return [describe_published(source.as_posix())]
    run = Run.from_path(source)
    own = {"name": run.path.name, "license": "that of the training photos and labels", "from": "training"}
    if not run.recipe_file.is_file():
        return [own, {"name": UNKNOWN, "license": UNKNOWN, "from": "initial weights"}]
    recipe, ancestors = read_recipe(run)[0], read_ancestors(run)
    starts = [describe_published(name) for name in ancestors.published]
    starts += [
        {"name": Path(training.run).name, "license": UNKNOWN, "from": "earlier training"}
        for training in ancestors.trainings
    ]
    starts += [{"name": name, "license": UNKNOWN, "from": "initial weights"} for name in ancestors.unknown]
    return [own, *(starts or describe_backbone(recipe, read_metadata(checkpoint_path(source)).config))]


def describe_backbone(recipe: Recipe, config: dict[str, Any]) -> list[dict[str, str]]:
    """The initial weights of the backbone of a training that started from nothing else."""
    if recipe.weights == "none":
        return []
    if recipe.weights in ("imagenet", "hub"):
        return [describe_published(f"{TIMM}{config.get('backbone', UNKNOWN)}")]
    return [{"name": recipe.weights, "license": UNKNOWN, "from": "initial weights"}]


def describe_published(name: str) -> dict[str, str]:
    """An entry of the manifest of published weights."""
    entry = published_weights().get(name)
    if entry is None:
        return {"name": name, "license": UNKNOWN, "from": "published weights"}
    return {
        "name": name,
        "license": entry.license,
        "from": "published weights",
        "trained_on": entry.trained_on,
        "address": entry.address,
    }
