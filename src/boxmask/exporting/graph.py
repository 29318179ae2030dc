"""Build an ONNX graph in Python: values with operators, constants, loops, and networks from PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxmask.exporting.values import Operand, Value

OPSET, IR_VERSION = 18, 8  # read by ONNX Runtime 1.14 and later


class Graph:
    """An ONNX graph under construction. Equal constants are stored once."""

    def __init__(self) -> None:
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.constants: list[onnx.TensorProto] = []
        # of the innermost body that is under construction
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._count = 0

    # ---------------------------------------------------------------- inputs, outputs, nodes

    def input(self, name: str, dtype: type[np.generic], shape: Sequence[int | str]) -> Value:
        """Add an input. Axes with a name have any length."""
        self.inputs.append(_value_info(name, dtype, shape))
        return Value(self, name)

    def option(self, name: str, default: np.generic) -> Value:
        """Add an input, a scalar, that may be left out."""
        self.inputs.append(_value_info(name, type(default), []))
        self.constants.append(numpy_helper.from_array(np.asarray(default), name))
        return Value(self, name)

    def output(self, name: str, value: Value, dtype: type[np.generic], shape: Sequence[int | str]) -> None:
        """Make a value an output under this name."""
        self.nodes.append(helper.make_node("Identity", [value.name], [name], name=name))
        self.outputs.append(_value_info(name, dtype, shape))

    def op(self, kind: str, *operands: Operand | None, **attributes: Any) -> Value:
        """Add a node with one output. None is an input that is left out."""
        return self.ops(kind, 1, *operands, **attributes)[0]

    def ops(self, kind: str, outputs: int, *operands: Operand | None, **attributes: Any) -> list[Value]:
        """Add a node with several outputs."""
        names = ["" if operand is None else self.value(operand).name for operand in operands]
        given = {name: value for name, value in attributes.items() if value is not None}
        values = [self._new(kind) for _ in range(outputs)]
        outputs_of_node = [value.name for value in values]
        self.nodes.append(helper.make_node(kind, names, outputs_of_node, name=outputs_of_node[0], **given))
        return values

    def value(self, operand: Operand) -> Value:
        """A value as it is; numbers and arrays as a constant."""
        if isinstance(operand, Value):
            return operand
        # float64 of numpy is a Python float as well
        array = np.asarray(operand, dtype=np.float32 if type(operand) is float else None)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            constant = self._constants[key] = self._new("constant")
            self.constants.append(numpy_helper.from_array(array, constant.name))
        return self._constants[key]

    def _new(self, kind: str) -> Value:
        self._count += 1
        return Value(self, f"{kind}_{self._count}")

    # ---------------------------------------------------------------- composed

    def shape(self, *dims: Value | int) -> Value:
        """A shape (N,) from numbers and scalars."""
        if not any(isinstance(dim, Value) for dim in dims):
            return self.value(np.array(dims, dtype=np.int64))
        return self.concat([self.value(dim).reshape(1) for dim in dims])

    def concat(self, values: Sequence[Operand], axis: int = 0) -> Value:
        """Concatenate along an axis; a single value stays as it is."""
        if len(values) == 1:
            return self.value(values[0])
        return self.op("Concat", *values, axis=axis)

    def arange(self, end: Operand) -> Value:
        """0, 1, ... up to `end`, int64."""
        return self.op("Range", 0, end, 1)

    def full(self, number: np.generic, *dims: Value | int) -> Value:
        """A tensor of one number."""
        tensor = numpy_helper.from_array(np.array([number]))
        return self.op("ConstantOfShape", self.shape(*dims), value=tensor)

    def where(self, condition: Value, yes: Operand, no: Operand) -> Value:
        """Elementwise choice."""
        return self.op("Where", condition, yes, no)

    def nonzero(self, flags: Value, axes: int) -> list[Value]:
        """The indices of True along each of the axes, in row-major order."""
        indices = self.op("NonZero", flags)
        return [indices.gather(axis) for axis in range(axes)]

    def top_k(self, values: Value, k: Value) -> tuple[Value, Value]:
        """The k highest along the last axis, highest first, and their indices; fewer if there are fewer."""
        limit = k.minimum(values.dim(-1)).reshape(1)
        top, index = self.ops("TopK", 2, values, limit, axis=-1)
        return top, index

    def loop(self, count: Value, body: Callable[[Value], Sequence[Value]]) -> list[Value]:
        """Stack what `body` returns for 0, 1, ... up to `count`, each along a new first axis."""
        return self.fold(count, [], lambda index, _: ([], body(index)))[1]

    def fold(
        self,
        count: Value,
        state: Sequence[Value],
        body: Callable[[Value, list[Value]], tuple[Sequence[Value], Sequence[Value]]],
    ) -> tuple[list[Value], list[Value]]:
        """Call `body` with 0, 1, ... up to `count` and the state, which it returns anew, with results.

        Returns the last state, and the results, each stacked along a new first axis.
        """
        outer = (self.nodes, self.weights)
        self.nodes, self.weights = [], []
        index, condition, before = (
            self._new("index"),
            self._new("condition"),
            [self._new("state") for _ in state],
        )
        after, results = body(index, before)
        outputs = [self.op("Identity", value) for value in (condition, *after)]
        inside = helper.make_graph(
            self.nodes,
            "body",
            [
                _value_info(index.name, np.int64, []),
                _value_info(condition.name, np.bool_, []),
                *(helper.make_empty_tensor_value_info(value.name) for value in before),
            ],
            [
                _value_info(outputs[0].name, np.bool_, []),
                *(helper.make_empty_tensor_value_info(v.name) for v in (*outputs[1:], *results)),
            ],
            self.weights,
        )
        self.nodes, self.weights = outer
        values = self.ops("Loop", len(after) + len(results), count, np.bool_(True), *state, body=inside)
        return values[: len(after)], values[len(after) :]

    def network(self, model: onnx.ModelProto, *inputs: Value) -> list[Value]:
        """Add the nodes and weights of a model without loops, applied to `inputs`; returns its outputs.

        Inside a loop, the weights become a part of its body: ONNX Runtime optimizes layers only where it
        finds their weights beside them.
        """
        names = {info.name: value.name for info, value in zip(model.graph.input, inputs, strict=True)}
        prefix = self._new("network").name

        def rename(name: str) -> str:
            return names.get(name, f"{prefix}/{name}") if name else ""

        for tensor in model.graph.initializer:
            tensor.name = rename(tensor.name)
            self.weights.append(tensor)
        for node in model.graph.node:
            node.input[:] = [rename(name) for name in node.input]
            node.output[:] = [rename(name) for name in node.output]
            node.name = node.output[0]  # ONNX Runtime 1.19 needs names that differ
            self.nodes.append(node)
        return [Value(self, rename(info.name)) for info in model.graph.output]

    def model(self) -> onnx.ModelProto:
        """The finished model."""
        initializers = [*self.constants, *self.weights]
        graph = helper.make_graph(self.nodes, "boxmask", self.inputs, self.outputs, initializers)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="boxmask")


def _value_info(name: str, dtype: type[np.generic], shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    assert kind != TensorProto.UNDEFINED
    return helper.make_tensor_value_info(name, kind, list(shape))
