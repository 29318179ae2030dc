"""The builder of graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from boxmask.exporting.graph import Graph
from boxmask.exporting.values import Value


def run(graph: Graph, **inputs: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    model = graph.model()
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[NDArray[np.generic]] = session.run(None, inputs)
    return outputs


def test_operators_read_like_numpys() -> None:
    graph = Graph()
    x = graph.input("x", np.float32, ["n", 4])
    graph.output("y", (1.0 + x * 2.0 - x / 4.0).maximum(0.0), np.float32, ["n", 4])
    graph.output("z", (x.slice(1, 0, 2) - 1.0) @ np.eye(2, dtype=np.float32), np.float32, ["n", 2])
    given = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)
    y, z = run(graph, x=given)
    np.testing.assert_array_equal(y, np.maximum(1 + given * 2 - given / 4, 0))
    np.testing.assert_array_equal(z, given[:, :2] - 1)


def test_equal_constants_are_stored_once() -> None:
    graph = Graph()
    x = graph.input("x", np.float32, [2])
    graph.output("y", x + 3.0 + 3.0 + np.float64(3).astype(np.float32), np.float32, [2])
    assert len(graph.model().graph.initializer) == 1


def test_numbers_keep_their_types() -> None:
    graph = Graph()
    types = {graph.value(number).name: number for number in (1.5, 1, np.float64(1.5), np.bool_(True))}
    assert len(types) == 4
    kinds = {onnx.helper.tensor_dtype_to_np_dtype(t.data_type).name for t in graph.constants}
    assert kinds == {"float32", "int64", "float64", "bool"}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_loops_stack_their_results(count: int) -> None:
    graph = Graph()
    x = graph.input("x", np.float32, ["n"])

    def body(index: Value) -> list[Value]:
        return [x * index.cast(np.float32), index + 1]

    scaled, numbers = graph.loop(graph.value(count), body)
    graph.output("scaled", scaled.reshape(count, x.dim(0)), np.float32, ["count", "n"])
    graph.output("numbers", numbers, np.int64, ["count"])
    given = np.array([1, 2], dtype=np.float32)
    found, found_numbers = run(graph, x=given)
    np.testing.assert_array_equal(found, np.arange(count)[:, None] * given)
    assert found_numbers.tolist() == list(range(1, count + 1))


def test_top_k_takes_what_is_there() -> None:
    graph = Graph()
    x = graph.input("x", np.float32, ["b", "n"])
    top, index = graph.top_k(x, graph.value(5))
    graph.output("top", top, np.float32, ["b", "k"])
    graph.output("index", index, np.int64, ["b", "k"])
    found, rows = run(graph, x=np.array([[1, 3, 2]], dtype=np.float32))
    assert (found.tolist(), rows.tolist()) == ([[3, 2, 1]], [[1, 2, 0]])


def test_a_network_is_renamed_so_that_it_can_be_added_twice(tmp_path: Path) -> None:
    inner = Graph()
    inner.output("y", inner.input("x", np.float32, ["n"]) * 2.0, np.float32, ["n"])
    graph = Graph()
    x = graph.input("x", np.float32, ["n"])
    [once] = graph.network(inner.model(), x)
    [twice] = graph.network(inner.model(), once)
    graph.output("result", twice, np.float32, ["n"])
    [found] = run(graph, x=np.array([1, 2], dtype=np.float32))
    assert found.tolist() == [4, 8]
