"""How much error each layer adds by itself if it is computed in 8 bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from boxmask.exporting.int8.layers import Layer, Scope, scopes
from boxmask.exporting.int8.predictor import Feeds, Predictor
from boxmask.exporting.int8.probes import PROBE, add_constants, add_output
from boxmask.exporting.int8.quantize import output_axis, rounded_weights, weight_scales
from boxmask.exporting.int8.ranges import Scale


def rank_by_noise(
    model: onnx.ModelProto, layers: Sequence[Layer], scales: Mapping[str, Scale], photos: Iterable[Feeds]
) -> list[Layer]:
    """The layers, most sensitive first.

    Each layer is computed a second time from the same input, with input and weights rounded to 8 bits. Its
    noise is the squared difference of both results, relative to the squared result.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    add_constants(copy)
    chosen = {output for layer in layers for output in layer.outputs}
    probes: dict[str, str] = {}
    for scope in scopes(copy):
        for node in [node for node in scope.graph.node if node.output and node.output[0] in chosen]:
            probes[node.output[0]] = _add_second_result(copy, scope, node, scales[node.input[0]])
    sums = {output: np.zeros(2) for output in probes}
    predictor = Predictor(copy)
    for feeds in photos:
        values = predictor.run(feeds, list(probes.values()))
        for output, probe in probes.items():
            sums[output] += values[probe].reshape(-1, 2).sum(axis=0)

    def noise(layer: Layer) -> float:
        difference, signal = np.sum([sums[output] for output in layer.outputs], axis=0)
        return float(difference / signal) if signal else 0.0

    return sorted(layers, key=noise, reverse=True)


def _add_second_result(model: onnx.ModelProto, scope: Scope, node: onnx.NodeProto, scale: Scale) -> str:
    """Add the layer with rounded numbers, and an output: squared difference and squared result (2,)."""
    own, result = f"{PROBE}{node.output[0]}", node.output[0]
    scope.graph.initializer.extend(
        numpy_helper.from_array(values, f"{own}/{name}")
        for name, values in (
            ("weights", _rounded(scope, node)),
            ("scale", np.asarray(scale.scale, dtype=np.float32)),
            ("zero_point", np.asarray(scale.zero_point, dtype=np.uint8)),
        )
    )
    second = onnx.NodeProto()
    second.CopyFrom(node)
    second.name = f"{own}/result"
    second.input[0], second.input[1], second.output[0] = f"{own}/input", f"{own}/weights", f"{own}/result"
    stored = [f"{own}/scale", f"{own}/zero_point"]
    scope.graph.node.extend(
        [
            helper.make_node("QuantizeLinear", [node.input[0], *stored], [f"{own}/uint8"]),
            helper.make_node("DequantizeLinear", [f"{own}/uint8", *stored], [f"{own}/input"]),
            second,
            helper.make_node("Sub", [f"{own}/result", result], [f"{own}/difference"]),
            *_sum_of_squares(f"{own}/difference", f"{own}/noise"),
            *_sum_of_squares(result, f"{own}/signal"),
            helper.make_node("Concat", [f"{own}/noise", f"{own}/signal"], [f"{own}/both"], axis=0),
        ]
    )
    return add_output(model, scope, f"{own}/both")


def _rounded(scope: Scope, node: onnx.NodeProto) -> NDArray[np.float32]:
    """The weights of a layer, rounded to 8 bits."""
    weights, axis = numpy_helper.to_array(scope.weights[node.input[1]]), output_axis(node)
    scales = weight_scales(weights, axis)
    shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
    return np.asarray(rounded_weights(weights, scales, axis) * scales.reshape(shape), dtype=np.float32)


def _sum_of_squares(name: str, output: str) -> list[onnx.NodeProto]:
    """The sum (1,) of a tensor's squares; 0 if it is empty."""
    return [
        helper.make_node("Reshape", [name, f"{PROBE}flat"], [f"{output}/values"]),
        helper.make_node("Concat", [f"{PROBE}zero", f"{output}/values"], [f"{output}/with_zero"], axis=0),
        helper.make_node("ReduceSumSquare", [f"{output}/with_zero"], [output], keepdims=1),
    ]
