"""The models that a server offers, by name."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from boxmask.errors import UsageError
from boxmask.missing_packages import needs_packages
from boxmask.options import option
from boxmask.runtime.load import is_onnx_name, load_onnx
from boxmask.serving.errors import RequestError
from boxmask.serving.options import ServeOptions
from boxmask.serving.unique_names import unique_names
from boxmask.types import Detections
from boxmask.types.checks import class_indices

if TYPE_CHECKING:
    from jaxtyping import UInt8

    from boxmask.explaining.contract import Explanation
    from boxmask.serving.predict_request import Selection

Form = Literal["onnx", "torch"]

_ONE_AT_A_TIME = threading.Lock()
"""Held while a model of PyTorch, or Selective Search, works: both use all cores, and share their threads."""


@dataclass(frozen=True)
class ServedModel:
    """A model that clients name.

    method:    of boxmask's table, for example "faster-rcnn"
    form:      "onnx" for exported files, "torch" for all others
    predictor: has `predict`
    has_masks: whether a detector finds masks
    """

    name: str
    method: str
    task: str
    form: Form
    class_names: tuple[str, ...]
    predictor: Any
    has_masks: bool = False

    def check(self, selection: Selection) -> None:
        """Raise RequestError for classes that the model does not know, and for fields of another task."""
        if self.task == "detection":
            try:
                class_indices(selection.classes or (), self.class_names)
            except UsageError as error:
                raise RequestError(422, "unknown-class", f"classes: {str(error)[:500]}") from error
            return
        for field in ("min_score", "classes"):
            if field in selection.model_fields_set and getattr(selection, field) is not None:
                raise RequestError(422, "invalid", f"{field}: this works for detectors only. Leave it out.")

    def predict(self, pixels: UInt8[np.ndarray, "H W 3"], selection: Selection) -> Any:
        """The result of a photo, with the objects that are asked for."""
        with self._turn():
            result = self.predictor.predict(pixels)
        if not isinstance(result, Detections):
            return result
        return result.filter(names=selection.classes, min_score=selection.min_score)

    def explain(self, pixels: UInt8[np.ndarray, "H W 3"], min_score: float) -> Explanation:
        """The stages of a photo's way through the model, which must be one of PyTorch.

        min_score: detectors: of the objects that are followed
        """
        from boxmask.explaining.explain import ExplainOptions, explain_photo

        with self._turn():
            return explain_photo(self.predictor, pixels, ExplainOptions(min_score))

    def _turn(self) -> AbstractContextManager[Any]:
        """ONNX Runtime predicts several photos at once."""
        is_free = self.form == "onnx" and self.predictor.propose is None
        return nullcontext() if is_free else _ONE_AT_A_TIME


def load_models(paths: Sequence[Path], options: ServeOptions | None = None) -> list[ServedModel]:
    """Load runs, checkpoints, names of published weights, and exported files. Files of ONNX need no torch.

    A model is named after its run or file. Raises UsageError without paths and data sets to train
    on, and errors as `boxmask.load`.
    """
    options = options or ServeOptions()
    if not paths and not options.data:
        raise UsageError(
            "give at least one RUN: a folder written by training, or an exported file (.onnx). Or give data "
            f"sets to train on: {option('data')} DATA"
        )
    names = unique_names([_base_name(path) for path in paths])
    return [_load(path, name, options.device) for path, name in zip(paths, names, strict=True)]


def _load(path: Path, name: str, device: str) -> ServedModel:
    if is_onnx_name(path):
        model = load_onnx(path, device)
        if model.needs_proposals:
            with needs_packages(f"{path}: {model.name} needs Selective Search, which"):
                from boxmask.tasks.predictors import add_config

            add_config(model)
        metadata = model.metadata
        return ServedModel(name, model.name, metadata.task, "onnx", model.class_names, model, model.has_masks)
    with needs_packages(f"{path} is not an ONNX file, so it"):
        from boxmask.models.table import name_of
        from boxmask.tasks.predictors import MODELS_OF_TASK, load_predictor
        from boxmask.tasks.table import task_of
    predictor: Any = load_predictor(path, device)
    method = name_of(predictor)
    task = next(task for task, methods in MODELS_OF_TASK.items() if method in methods)
    has_masks = bool(getattr(task_of(predictor), "needs_masks", False))
    return ServedModel(name, method, task, "torch", tuple(predictor.class_names), predictor, has_masks)


def _base_name(path: Path) -> str:
    """The name of a run or file."""
    shown = path.absolute()
    return shown.stem if is_onnx_name(path) else shown.name


def has_toolkit() -> bool:
    """Whether this is boxmask, and not boxmask-runtime."""
    return find_spec("torch") is not None
