"""Load whatever can `predict`: a trained model, or an exported file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TypeAlias

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.errors import CheckpointError
from boxmask.models.table import AnyModel, config_from_json
from boxmask.pipeline.selective_search import selective_search
from boxmask.runtime.load import AnyExportedModel, is_onnx_name, load_onnx
from boxmask.runtime.onnx_file import REMEDY
from boxmask.segmenters.table import SEGMENTERS
from boxmask.weights.checkpoint import load_model

AnyPredictor: TypeAlias = AnyModel | AnyExportedModel

MODELS_OF_TASK = {"detection": DETECTORS, "segmentation": SEGMENTERS, "classification": CLASSIFIERS}


def load_predictor(run: Path, device: str = "auto") -> AnyPredictor:
    """Load the model of a run, checkpoint, published name or exported file.

    Raises CheckpointError as `load_onnx` and `add_config` do, and errors as `load_model` does.
    """
    if not is_onnx_name(run):
        return load_model(run, device)
    model = load_onnx(run, device)
    add_config(model)
    return model


def add_config(model: AnyExportedModel) -> None:
    """Give an exported model the config of its method, and Selective Search if it needs proposals.

    Raises CheckpointError, naming the file, if its config does not fit this version.
    """
    metadata = model.metadata
    try:
        if model.name not in MODELS_OF_TASK[metadata.task]:
            raise ValueError(f"it has no model {model.name!r} for {metadata.task}")
        model.config = config_from_json(model.name, metadata.config)
        if model.config.class_names != metadata.class_names:
            raise ValueError("the config has other class names")
    except ValueError as error:
        raise CheckpointError.in_file(
            model.path, f"this file does not fit this version of boxmask ({error}). {REMEDY}"
        ) from error
    if model.needs_proposals:
        model.propose = partial(selective_search, config=model.config.search)
