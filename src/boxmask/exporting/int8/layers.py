"""The layers of an exported file that can be computed in 8 bits.

They are the convolutions and fully connected layers of networks, except the last ones, which give scores,
deltas or masks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import onnx
from onnx import helper

KINDS = ("Conv", "Gemm", "MatMul")
NETWORK = "network_"  # begins the names of the weights of networks; see `Graph.network`
ENDS = ("Softmax", "Sigmoid", "TopK", "GatherND", "NonMaxSuppression", "ArgMax", "Shape")
"""Operators behind which no features flow: what comes before them are scores, boxes and sizes."""

ACTIVATIONS = ("Relu", "Clip")


@dataclass(frozen=True)
class Layer:
    """A layer, which may occur at several places, for example at each level of a pyramid.

    name:    of its weights
    outputs: of its nodes, which identify them
    """

    name: str
    outputs: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name without the number of its network, as in the model."""
        return self.name.partition("/")[2].removesuffix(".weight")


class Scope:
    """The nodes of the graph, or of the body of one of its loops.

    loop: the node of the loop; None for the graph itself
    """

    def __init__(self, graph: onnx.GraphProto, loop: onnx.NodeProto | None = None) -> None:
        self.graph, self.loop = graph, loop

    @cached_property
    def weights(self) -> dict[str, onnx.TensorProto]:
        """The constants by name."""
        return {tensor.name: tensor for tensor in self.graph.initializer}

    @cached_property
    def consumers(self) -> dict[str, list[onnx.NodeProto]]:
        """The nodes that read each tensor."""
        found: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.graph.node:
            for name in node.input:
                found[name].append(node)
        return found

    def replace_nodes(self, nodes: Sequence[onnx.NodeProto]) -> None:
        """Replace all nodes."""
        copies = list(nodes)
        del self.graph.node[:]
        self.graph.node.extend(copies)

    def activated(self, node: onnx.NodeProto) -> str:
        """The output of a node, behind the activation that follows it, if one does."""
        output: str = node.output[0]
        readers = [reader for reader in self.consumers[output] if reader.op_type != "Shape"]
        if len(readers) == 1 and readers[0].op_type in ACTIVATIONS:
            return str(readers[0].output[0])
        return output

    def is_candidate(self, node: onnx.NodeProto) -> bool:
        """Whether a node is a layer that can be computed in 8 bits."""
        if node.op_type not in KINDS or node.input[1] not in self.weights:
            return False
        return node.input[1].startswith(NETWORK) and not self._is_last(node) and _is_plain(node)

    def _is_last(self, node: onnx.NodeProto) -> bool:
        """Whether no layer reads what the node gives."""
        pending, seen = [node], set[str]()
        while pending:
            for reader in self.consumers[pending.pop().output[0]]:
                if reader.op_type in (*KINDS, "ConvTranspose"):
                    return False
                if reader.op_type not in ENDS and reader.output[0] not in seen:
                    seen.add(reader.output[0])
                    pending.append(reader)
        return True


def _is_plain(node: onnx.NodeProto) -> bool:
    """Whether a Gemm computes x @ W.T + b; other nodes always are plain."""
    if node.op_type != "Gemm":
        return True
    options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    factors = (options.get("alpha", 1.0), options.get("beta", 1.0))
    return factors == (1.0, 1.0) and not options.get("transA") and bool(options.get("transB"))


def scopes(model: onnx.ModelProto) -> Iterator[Scope]:
    """The graph, and the bodies of its loops."""
    for node in model.graph.node:
        if node.op_type == "Loop":
            yield Scope(helper.get_node_attr_value(node, "body"), node)
    yield Scope(model.graph)


def find_layers(model: onnx.ModelProto) -> list[Layer]:
    """The layers that can be computed in 8 bits, in the order of the graph."""
    outputs: dict[str, list[str]] = defaultdict(list)
    for scope in scopes(model):
        for node in scope.graph.node:
            if scope.is_candidate(node):
                outputs[node.input[1]].append(node.output[0])
    return [Layer(name, tuple(found)) for name, found in outputs.items()]
