"""Values of an ONNX graph: tensors whose operators add nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import helper

if TYPE_CHECKING:
    from boxmask.exporting.graph import Graph


class Value:
    """A tensor of the graph. Operators add nodes: `a + b` adds an Add.

    In operators, Python floats are float32 and integers are int64; numpy scalars keep their type.
    """

    __array_ufunc__ = None  # arrays leave the operators to this class

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: Operand) -> Value:
        return self.graph.op("Add", self, other)

    def __radd__(self, other: Operand) -> Value:
        return self.graph.op("Add", other, self)

    def __sub__(self, other: Operand) -> Value:
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self.graph.op("Mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return self.graph.op("Mul", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return self.graph.op("Div", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self.graph.op("Div", other, self)

    def __floordiv__(self, other: Operand) -> Value:
        """Integers only, and not negative: the Div of ONNX truncates."""
        return self.graph.op("Div", self, other)

    def __mod__(self, other: Operand) -> Value:
        """Integers only."""
        return self.graph.op("Mod", self, other)

    def __matmul__(self, other: Operand) -> Value:
        return self.graph.op("MatMul", self, other)

    def __gt__(self, other: Operand) -> Value:
        return self.graph.op("Greater", self, other)

    def __ge__(self, other: Operand) -> Value:
        return self.graph.op("GreaterOrEqual", self, other)

    def __lt__(self, other: Operand) -> Value:
        return self.graph.op("Less", self, other)

    def __and__(self, other: Operand) -> Value:
        return self.graph.op("And", self, other)

    def equals(self, other: Operand) -> Value:
        """Elementwise; `==` compares the Python objects."""
        return self.graph.op("Equal", self, other)

    # ---------------------------------------------------------------- types and shapes

    def cast(self, dtype: type[np.generic]) -> Value:
        """Convert to a numpy type."""
        return self.graph.op("Cast", self, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def dim(self, axis: int) -> Value:
        """The length of an axis, a scalar int64."""
        shape = self.graph.op("Shape", self, start=axis, end=axis + 1 if axis != -1 else None)
        return self.graph.op("Squeeze", shape)

    def reshape(self, *dims: Value | int) -> Value:
        """As numpy's reshape; -1 is what remains, and 0 an axis without elements."""
        return self.graph.op("Reshape", self, self.graph.shape(*dims), allowzero=int(-1 not in dims))

    def expand(self, *dims: Value | int) -> Value:
        """Broadcast to a shape."""
        return self.graph.op("Expand", self, self.graph.shape(*dims))

    def transpose(self, *axes: int) -> Value:
        """Reorder the axes."""
        return self.graph.op("Transpose", self, perm=list(axes))

    def unsqueeze(self, *axes: int) -> Value:
        """Add axes of length 1."""
        return self.graph.op("Unsqueeze", self, np.array(axes))

    def squeeze(self, *axes: int) -> Value:
        """Remove axes of length 1."""
        return self.graph.op("Squeeze", self, np.array(axes))

    def slice(self, axis: int, start: Value | int, end: Value | int) -> Value:
        """The part `start`..`end` of an axis."""
        shape = self.graph.shape
        return self.graph.op("Slice", self, shape(start), shape(end), np.array([axis]))

    def gather(self, index: Operand, axis: int = 0) -> Value:
        """Select along an axis. A scalar index removes the axis."""
        return self.graph.op("Gather", self, index, axis=axis)

    # ---------------------------------------------------------------- numbers

    def maximum(self, other: Operand) -> Value:
        """Elementwise."""
        return self.graph.op("Max", self, other)

    def minimum(self, other: Operand) -> Value:
        """Elementwise."""
        return self.graph.op("Min", self, other)

    def reduce(self, kind: str, *axes: int, keep: bool = False) -> Value:
        """Reduce axes, or all: kind is "Max", "Min" or "Sum"."""
        return self.graph.op(f"Reduce{kind}", self, np.array(axes) if axes else None, keepdims=int(keep))


Operand: TypeAlias = Value | float | int | np.generic | NDArray[Any]
"""What operators take: values, numbers and arrays."""
