"""Rewrite a file so that some of its layers are computed in 8 bits.

Around each layer, QuantizeLinear and DequantizeLinear are inserted (QDQ). ONNX Runtime computes a layer
between them in 8 bits; other programs may compute the same in 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from boxmask.exporting.int8.layers import NETWORK, Layer, Scope, scopes
from boxmask.exporting.int8.ranges import Scale

SAME_SCALE = ("MaxPool", "Resize")
"""Operators whose outputs have the values of their input."""

JOINS = ("Add", "Concat", *SAME_SCALE)
"""Operators that are computed in 8 bits if all their inputs are."""

MAX_WEIGHT = 127
MAX_BIAS = 2**30


def quantized_tensors(scope: Scope, chosen: set[str]) -> dict[str, str]:
    """The tensors of a scope that are stored in 8 bits, each with the one whose scale it has.

    chosen: outputs of the layers
    """
    found: dict[str, str] = {}
    for node in scope.graph.node:
        if node.output and node.output[0] in chosen:
            found.setdefault(node.input[0], node.input[0])
            activated = scope.activated(node)
            found.setdefault(activated, activated)
        elif node.op_type in JOINS and (inputs := _data_inputs(node)) and all(x in found for x in inputs):
            activated = scope.activated(node)
            same = node.op_type in SAME_SCALE and activated == node.output[0]
            found[activated] = found[inputs[0]] if same else activated
    return found


def _data_inputs(node: onnx.NodeProto) -> list[str]:
    """The inputs with features; none for a Resize that computes new values."""
    if node.op_type != "Resize":
        return list(node.input[:1] if node.op_type == "MaxPool" else node.input)
    modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
    return list(node.input[:1]) if modes in ([], [b"nearest"]) else []


def tensors_to_measure(model: onnx.ModelProto, layers: Iterable[Layer]) -> list[str]:
    """The tensors whose scales `quantize` needs for these layers, or fewer of them."""
    chosen = {output for layer in layers for output in layer.outputs}
    return [name for scope in scopes(model) for name in quantized_tensors(scope, chosen)]


def quantize(model: onnx.ModelProto, layers: Iterable[Layer], scales: Mapping[str, Scale]) -> onnx.ModelProto:
    """A copy of a model with these layers in 8 bits."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    chosen = {output for layer in layers for output in layer.outputs}
    for scope in scopes(copy):
        if tensors := quantized_tensors(scope, chosen):
            _Rewriting(scope, {name: scales[source] for name, source in tensors.items()}).rewrite(chosen)
    return copy


class _Rewriting:
    """The nodes of a scope while they are rewritten."""

    def __init__(self, scope: Scope, tensors: Mapping[str, Scale]) -> None:
        self.scope, self.tensors = scope, tensors
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def rewrite(self, chosen: set[str]) -> None:
        """Insert the nodes, and replace the weights that are no longer read."""
        known = {name for node in self.scope.graph.node for name in node.output}
        for name in [name for name in self.tensors if name not in known]:
            self._store(name)  # from outside of the loop
        for node in self.scope.graph.node:
            scale = self.tensors.get(node.input[0]) if node.input else None
            outputs = list(node.output)
            if outputs[:1] and outputs[0] in chosen and scale is not None:
                self._quantize_weights(node, scale)
            for place, name in enumerate(node.input):
                if name in self.tensors:
                    node.input[place] = f"{name}/uint8" if node.op_type == "Shape" else f"{name}/dequantized"
            self.nodes.append(node)
            for name in outputs:
                if name in self.tensors:
                    self._store(name)
        self.scope.replace_nodes(self.nodes)
        self._replace_weights()

    def _store(self, name: str) -> None:
        """Store a tensor in 8 bits."""
        scale = self.tensors[name]
        constants = [
            self._constant(f"{name}/scale", np.asarray(scale.scale, dtype=np.float32)),
            self._constant(f"{name}/zero_point", np.asarray(scale.zero_point, dtype=np.uint8)),
        ]
        self._add("QuantizeLinear", [name, *constants], f"{name}/uint8")
        self._add("DequantizeLinear", [f"{name}/uint8", *constants], f"{name}/dequantized")

    def _add(self, kind: str, inputs: list[str], output: str, **options: int) -> None:
        """Add a node, which is named after its output: ONNX Runtime 1.19 needs names that differ."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **options))

    def _quantize_weights(self, node: onnx.NodeProto, scale: Scale) -> None:
        """Store the weights of a layer in 8 bits, with a scale per output, and the bias in 32."""
        name = node.input[1]
        weights, axis = numpy_helper.to_array(self.scope.weights[name]), output_axis(node)
        scales = weight_scales(weights, axis)
        bias = self.scope.weights.get(node.input[2]) if len(node.input) > 2 else None
        if bias is not None:
            values = numpy_helper.to_array(bias)
            enough = np.abs(values) / (float(scale.scale) * MAX_BIAS)
            if (enough > scales).any():  # of outputs that hardly depend on the input
                name, scales = f"{node.output[0]}/weight", np.maximum(scales, enough).astype(np.float32)
            bias_scales = (scales * scale.scale).astype(np.float32)
            integers = np.rint(values / bias_scales).astype(np.int32)
            node.input[2] = self._dequantized(f"{node.output[0]}/bias", integers, bias_scales, 0)
        rounded = rounded_weights(weights, scales, axis).astype(np.int8)
        node.input[1] = self._dequantized(name, rounded, scales, axis)

    def _dequantized(self, name: str, integers: NDArray[Any], scales: NDArray[np.float32], axis: int) -> str:
        """Constants in few bits, and the node that makes 32 of them. Returns the name of its output."""
        output = f"{name}/dequantized"
        if f"{name}/scale" not in self.constants:
            stored = self._constant(f"{name}/integers", integers)
            inputs = [stored, self._constant(f"{name}/scale", scales)]
            inputs.append(self._constant(f"{name}/zero_point", np.zeros(len(scales), dtype=integers.dtype)))
            self._add("DequantizeLinear", inputs, output, axis=axis)
        return output

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants[name] = numpy_helper.from_array(values, name)
        return name

    def _replace_weights(self) -> None:
        """Add the new constants, and drop those that nothing reads any more."""
        graph = self.scope.graph
        read = {name for node in graph.node for name in node.input}
        before = {tensor.name for tensor in graph.initializer}
        unread = before - read - {info.name for info in graph.output}
        kept = [
            tensor
            for tensor in graph.initializer
            if tensor.name not in unread or not tensor.name.startswith(NETWORK)
        ]
        del graph.initializer[:]
        graph.initializer.extend([*kept, *self.constants.values()])


def output_axis(node: onnx.NodeProto) -> int:
    """The axis of a layer's weights along which its outputs lie."""
    return 1 if node.op_type == "MatMul" else 0


def weight_scales(weights: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """The scale of each output of a layer."""
    others = tuple(i for i in range(weights.ndim) if i != axis)
    highest = np.abs(weights).max(axis=others)
    return np.where(highest > 0, highest / MAX_WEIGHT, 1.0).astype(np.float32)


def rounded_weights(
    weights: NDArray[np.float32], scales: NDArray[np.float32], axis: int
) -> NDArray[np.float32]:
    """The weights as whole numbers from -127 to 127."""
    shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
    return np.asarray(np.clip(np.rint(weights / scales.reshape(shape)), -MAX_WEIGHT, MAX_WEIGHT))
