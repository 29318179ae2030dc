"""Small ONNX files with the inputs, outputs and metadata of exported models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

Write = Callable[..., Path]

PHOTOS = helper.make_tensor_value_info("photos", TensorProto.UINT8, ["B", "H", "W", 3])
SIZES = helper.make_tensor_value_info("sizes", TensorProto.INT64, ["B", 2])
PROPOSALS = [
    helper.make_tensor_value_info("proposals", TensorProto.FLOAT, ["P", 4]),
    helper.make_tensor_value_info("proposal_counts", TensorProto.INT64, ["B"]),
]
OUTPUTS = {
    "boxes": helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", 4]),
    "scores": helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N"]),
    "labels": helper.make_tensor_value_info("labels", TensorProto.INT64, ["N"]),
    "counts": helper.make_tensor_value_info("counts", TensorProto.INT64, ["B"]),
    "masks": helper.make_tensor_value_info("masks", TensorProto.BOOL, ["N", "H", "W"]),
    "label_map": helper.make_tensor_value_info("label_map", TensorProto.UINT8, ["B", "H", "W"]),
    "class_scores": helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", "K"]),
}
CONSTANTS = {
    "swapped": np.array([1, 0]),
    "corner": np.zeros((1, 2), dtype=np.float32),
    "red": np.array([0]),
    "dark": np.array(100, dtype=np.uint8),
    "brightest": np.array(255, dtype=np.float32),
    "one": np.ones(1, dtype=np.float32),
    "label": np.array([1]),
    "channel": np.array([3]),
    "all_axes": np.array([0, 1, 2, 3]),
    "as_row": np.array([1, -1]),
    "as_vector": np.array([-1]),
}
LIGHT = [  # (1, H, W): whether the red channel is over 100
    helper.make_node("Gather", ["photos", "red"], ["red_channel"], axis=3),
    helper.make_node("Greater", ["red_channel", "dark"], ["light_channel"]),
    helper.make_node("Squeeze", ["light_channel", "channel"], ["light"]),
]
BRIGHTNESS = [  # (1,): the mean of all values, from 0 to 1
    helper.make_node("Cast", ["photos"], ["values"], to=TensorProto.FLOAT),
    helper.make_node("ReduceMean", ["values", "all_axes"], ["mean"], keepdims=0),
    helper.make_node("Div", ["mean", "brightest"], ["brightness"]),
    helper.make_node("Reshape", ["brightness", "as_vector"], ["score"]),
]
NODES = {
    "detection": [  # one object, the whole photo, with the photo's brightness as its score
        *BRIGHTNESS,
        helper.make_node("Identity", ["score"], ["scores"]),
        helper.make_node("Gather", ["sizes", "swapped"], ["far"], axis=1),
        helper.make_node("Cast", ["far"], ["far_corner"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["corner", "far_corner"], ["boxes"], axis=1),
        helper.make_node("Identity", ["label"], ["labels"]),
        helper.make_node("Identity", ["label"], ["counts"]),
    ],
    "segmentation": [*LIGHT, helper.make_node("Cast", ["light"], ["label_map"], to=TensorProto.UINT8)],
    "classification": [
        *BRIGHTNESS,
        helper.make_node("Sub", ["one", "score"], ["darkness"]),
        helper.make_node("Concat", ["score", "darkness"], ["both"], axis=0),
        helper.make_node("Reshape", ["both", "as_row"], ["scores"]),
    ],
}
OUTPUT_NAMES = {
    "detection": ("boxes", "scores", "labels", "counts"),
    "segmentation": ("label_map",),
    "classification": ("class_scores",),
}
MODELS = {"detection": "ssd", "segmentation": "fcn", "classification": "classifier"}


def metadata(task: str, /, **changes: Any) -> dict[str, Any]:
    """The content of the key "boxmask"; a change to None leaves a field out."""
    values = {
        "format": 1,
        "version": "0.2.0",
        "model": MODELS[task],
        "task": task,
        "class_names": ["cat", "dog"],
        "config": {"class_names": ["cat", "dog"], "shorter_side": 320},
        "inputs": ["photos", "sizes"],
        "training": {},
        "weights": [],
        "evaluation": {},
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def build(task: str, *, masks: bool = False, proposals: bool = False) -> onnx.ModelProto:
    """A model whose results follow from the brightness of the photo."""
    nodes = list(NODES[task])
    names = list(OUTPUT_NAMES[task])
    if masks:
        nodes += [*LIGHT, helper.make_node("Identity", ["light"], ["masks"])]
        names.append("masks")
    graph = helper.make_graph(
        nodes,
        "test",
        [PHOTOS, SIZES, *(PROPOSALS if proposals else [])],
        [OUTPUTS[name] for name in names],
        [numpy_helper.from_array(array, name) for name, array in CONSTANTS.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an exported model; keyword arguments are metadata that differ."""

    def write(
        task: str = "detection", /, *, masks: bool = False, proposals: bool = False, **changes: Any
    ) -> Path:
        model = build(task, masks=masks, proposals=proposals)
        helper.set_model_props(model, {"boxmask": json.dumps(metadata(task, **changes))})
        onnx.checker.check_model(model)
        file = tmp_path / "model.onnx"
        file.write_bytes(model.SerializeToString())
        return file

    return write


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 6 x 4 pixels, light on its left half."""
    pixels = np.zeros((4, 6, 3), dtype=np.uint8)
    pixels[:, :3] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"
