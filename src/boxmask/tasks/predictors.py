"""Load whatever can `predict`: a trained model, or an exported file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.errors import CheckpointError
from boxmask.models.table import AnyModel, config_from_json
from boxmask.pipeline.selective_search import selective_search
from boxmask.runtime.load import AnyExportedModel, is_onnx_name, load_onnx
from boxmask.runtime.metadata import ExportMetadata
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

    Raises CheckpointError as `read_config` does.
    """
    model.config = read_config(model.path, model.metadata, model.needs_proposals)
    if model.needs_proposals:
        model.propose = partial(selective_search, config=model.config.search)


def read_config(path: Path, metadata: ExportMetadata, needs_proposals: bool) -> Any:
    """The config of an exported model.

    needs_proposals: whether the file at `path` takes proposals

    Raises CheckpointError, naming the file, if the config does not fit this version or the file.
    """
    name = metadata.model
    try:
        if name not in MODELS_OF_TASK[metadata.task]:
            raise ValueError(f"it has no model {name!r} for {metadata.task}")
        config = config_from_json(name, metadata.config)
        if config.class_names != metadata.class_names:
            raise ValueError("the config has other class names")
        if needs_proposals != hasattr(config, "search"):
            inputs = "with" if needs_proposals else "without"
            raise ValueError(f"it has no {name} {inputs} proposals")
    except ValueError as error:
        raise CheckpointError.in_file(
            path, f"this file does not fit this version of boxmask ({error}). {REMEDY}"
        ) from error
    return config
