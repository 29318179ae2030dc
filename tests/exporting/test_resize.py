"""Photos are resized in the graph to exactly the levels that PyTorch computes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import UInt8

from boxmask.exporting.graph import Graph
from boxmask.exporting.session import Session
from boxmask.exporting.stages.image import Normalization, add_photos, prepare
from boxmask.pipeline.images import Preparation
from boxmask.pipeline.images import prepare as prepare_eagerly

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
SIDES = [(96, 160), (0, 0)]


@cache
def session(sides: tuple[int, int], antialias: bool) -> Session:
    graph = Graph()
    batch = prepare(add_photos(graph), sides, Normalization(MEAN, STD), 32, antialias)
    graph.output("pixels", batch.pixels, np.float32, ["batch", 3, "height", "width"])
    graph.output("resized", batch.sizes, np.int64, ["batch", 2])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "prepare.onnx"
        path.write_bytes(graph.model().SerializeToString())
        return Session(path)


def noise(size: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    return np.random.default_rng(size[0] * 1000 + size[1]).integers(0, 256, (*size, 3)).astype(np.uint8)


def assert_equal(sizes: list[tuple[int, int]], sides: tuple[int, int], antialias: bool) -> None:
    photos = [noise(size) for size in sizes]
    found = session(sides, antialias).run(photos)
    images = [torch.from_numpy(photo).permute(2, 0, 1) for photo in photos]
    expected = prepare_eagerly(images, Preparation(*sides, MEAN, STD, 32, antialias))
    assert found["resized"].tolist() == [list(size) for size in expected.sizes]
    np.testing.assert_array_equal(found["pixels"], expected.pixels.numpy())


@pytest.mark.parametrize("antialias", [True, False])
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=25)
def test_photos_of_any_sizes(antialias: bool, sizes: list[tuple[int, int]]) -> None:
    assert_equal(sizes, (96, 160), antialias)


@pytest.mark.parametrize("size", [(96, 96), (97, 96), (95, 97), (98, 98), (1, 1), (1, 900), (161, 160)])
def test_sizes_near_the_limits(size: tuple[int, int]) -> None:
    """A photo that is at most one pixel off keeps its size."""
    assert_equal([size, (120, 150)], (96, 160), True)


def test_photos_that_keep_their_size() -> None:
    assert_equal([(40, 70), (33, 20)], (0, 0), True)


def test_large_photos() -> None:
    """Their weights add up to more than float32 can count."""
    assert_equal([(1500, 2000)], (96, 160), True)
