"""Further outputs of a file, for tensors inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxmask.exporting.int8.layers import Scope, scopes

SAMPLES = 4096  # values of a tensor per photo
PROBE = "probe/"
CONSTANTS = {
    "flat": np.array([-1]),
    "zero": np.zeros(1, dtype=np.float32),
    "samples": np.array(SAMPLES),
    "one": np.array(1),
    "axis": np.array([0]),
    "end": np.array([np.iinfo(np.int64).max]),
}


def with_probes(model: onnx.ModelProto, tensors: Iterable[str]) -> tuple[onnx.ModelProto, dict[str, str]]:
    """A copy of a model with an output for each tensor: its lowest and highest value, and samples (n,).

    Also returns the names of these outputs. In loops, they are stacked along a first axis.
    """
    copy, wanted = onnx.ModelProto(), set(tensors)
    copy.CopyFrom(model)
    outputs: dict[str, str] = {}
    for scope in scopes(copy):
        known = {name for node in scope.graph.node for name in node.output}
        for name in sorted(known & wanted):
            scope.graph.node.extend(_sample_nodes(name))
            outputs[name] = add_output(copy, scope, f"{PROBE}{name}/all")
    add_constants(copy)
    return copy, outputs


def add_constants(model: onnx.ModelProto) -> None:
    """Add the constants that probes read, to the graph: bodies of loops see them."""
    tensors = [numpy_helper.from_array(value, PROBE + name) for name, value in CONSTANTS.items()]
    model.graph.initializer.extend(tensors)


def add_output(model: onnx.ModelProto, scope: Scope, name: str) -> str:
    """Make a tensor an output of the model, and return the output's name."""
    output = f"{name}/output"
    if scope.loop is None:
        scope.graph.node.append(helper.make_node("Identity", [name], [output]))
    else:
        scope.graph.output.append(helper.make_empty_tensor_value_info(name))
        scope.loop.output.append(output)
    model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    return output


def _sample_nodes(name: str) -> list[onnx.NodeProto]:
    """Zero counts as a value of each tensor, so that tensors without values have a range, too."""
    own = f"{PROBE}{name}/"

    def node(kind: str, inputs: Sequence[str], output: str, **options: int) -> onnx.NodeProto:
        return helper.make_node(kind, list(inputs), [own + output], **options)

    axis = f"{PROBE}axis"
    return [
        node("Reshape", [name, f"{PROBE}flat"], "values"),
        node("Concat", [f"{PROBE}zero", f"{own}values"], "with_zero", axis=0),
        node("ReduceMin", [f"{own}with_zero"], "low", keepdims=1),
        node("ReduceMax", [f"{own}with_zero"], "high", keepdims=1),
        node("Size", [name], "size"),
        node("Div", [f"{own}size", f"{PROBE}samples"], "quotient"),
        node("Max", [f"{own}quotient", f"{PROBE}one"], "step"),
        node("Reshape", [f"{own}step", f"{PROBE}flat"], "steps"),
        node("Slice", [f"{own}values", axis, f"{PROBE}end", axis, f"{own}steps"], "sample"),
        node("Concat", [f"{own}low", f"{own}high", f"{own}sample"], "all", axis=0),
    ]
