"""Layers in 8 bits: which they are, how they are stored, and what they compute."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from boxmask.exporting.detectors.mask_rcnn import MaskBranch
from boxmask.exporting.graph import Graph
from boxmask.exporting.int8.layers import find_layers
from boxmask.exporting.int8.noise import rank_by_noise
from boxmask.exporting.int8.predictor import Feeds, Predictor
from boxmask.exporting.int8.quantize import quantize, tensors_to_measure
from boxmask.exporting.int8.ranges import Scale, best_scale, measure_scales, scale_of
from boxmask.exporting.network import to_onnx
from boxmask.exporting.values import Value
from boxmask.pipeline.heads.mask import MaskHead


class Network(nn.Module):
    """Convolutions with a shortcut and a layer that occurs twice, then fully connected layers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.twice = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.hidden, self.last = nn.Linear(8 * 36, 16), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu6(self.first(x))
        x = torch.relu(x + self.twice(self.twice(x)))
        output: Tensor = self.last(torch.relu(self.hidden(x.flatten(1))))
        return output


def build(inside_a_loop: bool = False) -> onnx.ModelProto:
    graph = Graph()
    x = graph.input("x", np.float32, ["batch", 3, 6, 6])
    network = to_onnx(Network().eval(), (torch.zeros(2, 3, 6, 6),), ({0: "batch"},))

    def body(index: Value) -> list[Value]:
        return graph.network(network, x.gather(index.reshape(1)))

    [y] = graph.loop(x.dim(0), body) if inside_a_loop else graph.network(network, x * 2.0)
    graph.output("y", y.reshape(-1, 4), np.float32, ["batch", 4])
    return graph.model()


def photos(count: int = 8) -> list[Feeds]:
    numbers = np.random.default_rng(0)
    return [{"x": numbers.normal(size=(1, 3, 6, 6)).astype(np.float32)} for _ in range(count)]


@pytest.fixture(params=[False, True], ids=["graph", "loop"])
def model(request: pytest.FixtureRequest) -> onnx.ModelProto:
    return build(request.param)


def measured(model: onnx.ModelProto) -> dict[str, Scale]:
    return measure_scales(model, tensors_to_measure(model, find_layers(model)), photos())


def nodes(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    inside = [helper.get_node_attr_value(n, "body").node for n in model.graph.node if n.op_type == "Loop"]
    return [*model.graph.node, *(node for body in inside for node in body)]


def stored(model: onnx.ModelProto) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    loops = [helper.get_node_attr_value(n, "body") for n in model.graph.node if n.op_type == "Loop"]
    return {
        tensor.name: numpy_helper.to_array(tensor)
        for graph in (model.graph, *loops)
        for tensor in graph.initializer
    }


def test_all_layers_but_the_last(model: onnx.ModelProto) -> None:
    assert [layer.title for layer in find_layers(model)] == ["first", "twice", "hidden"]
    assert [len(layer.outputs) for layer in find_layers(model)] == [1, 2, 1]


def test_results_are_close(model: onnx.ModelProto) -> None:
    quantized = quantize(model, find_layers(model), measured(model))
    onnx.checker.check_model(quantized)
    before, after = Predictor(model), Predictor(quantized)
    expected = np.concatenate([before.run(feeds)["y"] for feeds in photos()])
    found = np.concatenate([after.run(feeds)["y"] for feeds in photos()])
    assert 0 < np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


def test_weights_have_8_bits_and_are_stored_once(model: onnx.ModelProto) -> None:
    quantized = quantize(model, find_layers(model), measured(model))
    weights = {name: values for name, values in stored(quantized).items() if values.ndim > 1}
    kinds = {name.partition("/")[2].partition(".")[0]: str(x.dtype) for name, x in weights.items()}
    assert kinds == {"first": "int8", "twice": "int8", "hidden": "int8", "last": "float32"}
    assert len(weights) == 4
    assert max(np.abs(x.astype(int)).max() for x in weights.values() if x.dtype == np.int8) == 127
    kinds_of_biases = [x.dtype for name, x in stored(quantized).items() if name.endswith("/bias/integers")]
    assert kinds_of_biases == [np.dtype(np.int32)] * 4


def test_shortcuts_stay_in_8_bits(model: onnx.ModelProto) -> None:
    quantized = quantize(model, find_layers(model), measured(model))
    [add] = [node for node in nodes(quantized) if node.op_type == "Add"]
    assert all(name.endswith("/dequantized") for name in add.input)


def test_layers_can_stay_as_they_are(model: onnx.ModelProto) -> None:
    layers, scales = find_layers(model), measured(model)
    quantized = quantize(model, layers[:1], scales)
    kinds = [values.dtype for values in stored(quantized).values() if values.ndim > 1]
    assert sorted(map(str, kinds)) == ["float32", "float32", "float32", "int8"]
    untouched = quantize(model, [], scales)
    assert [node.op_type for node in nodes(untouched)] == [node.op_type for node in nodes(model)]


def test_the_noisiest_layer_comes_first(model: onnx.ModelProto) -> None:
    layers, scales = find_layers(model), measured(model)
    coarse = find_layers(model)[2]
    [source] = [node.input[0] for node in nodes(model) if node.output[0] == coarse.outputs[0]]
    scales[source] = Scale(np.float32(scales[source].scale * 40), scales[source].zero_point)
    assert rank_by_noise(model, layers, scales, photos(2))[0] == coarse


def test_an_output_that_hardly_depends_on_the_input() -> None:
    model = build()
    for tensor in model.graph.initializer:
        if tensor.name.endswith("first.weight"):
            weights = numpy_helper.to_array(tensor).copy()
            weights[0] = 1e-20
            tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    found = Predictor(quantize(model, find_layers(model), measured(model))).run(photos()[0])["y"]
    expected = Predictor(model).run(photos()[0])["y"]
    assert np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


# ---------------------------------------------------------------------- scales


def test_zero_is_exact() -> None:
    for low, high in ((-1.0, 3.0), (0.5, 2.0), (-4.0, -1.0), (0.0, 0.0)):
        scale = scale_of(low, high)
        assert scale.rounded(np.zeros(1, dtype=np.float32))[0] == 0
        ends = np.array([low, high], dtype=np.float32)
        np.testing.assert_allclose(scale.rounded(ends), ends, atol=float(scale.scale))


def test_rare_large_values_are_limited() -> None:
    samples = np.random.default_rng(0).uniform(0, 1, 10_000).astype(np.float32)
    assert best_scale(0.0, 1.0, samples).scale == pytest.approx(1 / 255, rel=0.03)
    assert best_scale(0.0, 1.6, samples).scale == pytest.approx(1 / 255, rel=0.1)


def test_tensors_without_values_have_a_scale() -> None:
    graph = Graph()
    x = graph.input("x", np.float32, ["n"])
    graph.output("y", x * 2.0, np.float32, ["n"])
    scales = measure_scales(graph.model(), ["Mul_2"], [{"x": np.zeros(0, dtype=np.float32)}])
    assert scales["Mul_2"].scale == 1


def test_a_tensor_that_no_photo_reaches() -> None:
    model = build()
    names = tensors_to_measure(model, find_layers(model))
    assert set(measure_scales(model, names, []).values()) == {scale_of(0.0, 0.0)}


def test_the_mask_branch_up_to_its_last_layer() -> None:
    head = MaskHead(8, 8, depth=1, num_classes=3).eval()
    graph = Graph()
    rois = graph.input("rois", np.float32, ["R", 8, 4, 4])
    labels = graph.input("labels", np.int64, ["R"])
    example = (torch.rand(5, 8, 4, 4), torch.tensor([0, 1, 2, 1, 0]))
    network = to_onnx(MaskBranch(head), example, ({0: "R"}, {0: "R"}))
    [logits] = graph.network(network, rois, labels)
    graph.output("logits", logits, np.float32, ["R", 8, 8])
    model = graph.model()
    assert [layer.title for layer in find_layers(model)] == ["convs.0.0", "deconv"]
    found = Predictor(model).run({"rois": example[0].numpy(), "labels": example[1].numpy()})["logits"]
    with torch.no_grad():
        np.testing.assert_allclose(found, head(*example).numpy(), atol=1e-6)
