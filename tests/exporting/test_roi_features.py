"""Regions are pooled photo by photo, in bands from top to bottom, each from left to right."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from boxmask.exporting.graph import Graph
from boxmask.exporting.stages.roi_features import BAND, Regions, reading_order


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    graph = Graph()
    regions = Regions(graph.input("boxes", np.float32, ["R", 4]), graph.input("photo", np.int64, ["R"]))
    graph.output("order", reading_order(regions), np.int64, ["R"])
    return onnxruntime.InferenceSession(graph.model().SerializeToString(), providers=["CPUExecutionProvider"])


def box(x: float, y: float) -> list[float]:
    """A box around a point."""
    return [x - 10, y - 5, x + 10, y + 5]


def test_the_order(session: onnxruntime.InferenceSession) -> None:
    low, high = BAND * 0.4, BAND * 0.6
    centers = [(50, high), (20, BAND + low), (90, low), (10, low), (30, low), (15, high)]
    boxes = np.array([box(x, y) for x, y in centers], dtype=np.float32)
    photo = np.array([0, 0, 0, 1, 0, 0])
    [order] = session.run(None, {"boxes": boxes, "photo": photo})
    assert order.tolist() == [5, 4, 0, 2, 1, 3]


def test_no_regions(session: onnxruntime.InferenceSession) -> None:
    feeds = {"boxes": np.zeros((0, 4), dtype=np.float32), "photo": np.zeros(0, dtype=np.int64)}
    assert session.run(None, feeds)[0].shape == (0,)


def test_large_photos_in_a_batch_do_not_overlap(session: onnxruntime.InferenceSession) -> None:
    boxes = np.array([box(1, 1), box(99_999, 99_999), box(99_999, 1)], dtype=np.float32)
    [order] = session.run(None, {"boxes": boxes, "photo": np.array([7, 6, 6])})
    assert order.tolist() == [2, 1, 0]
