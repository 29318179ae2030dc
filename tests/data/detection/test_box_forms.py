"""Four numbers of a box that mean something else than the format says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from boxmask.data.detection.box_forms import find_other_form
from boxmask.data.findings import Finding, Location
from boxmask.data.formats.labels import Labels, PhotoEntry

Form: TypeAlias = Literal["xywh", "center", "corners", "voc"]
Numbers: TypeAlias = Float[np.ndarray, "N 4"]
SIZE = (300, 400)
FORMS: tuple[Form, ...] = ("xywh", "center", "corners", "voc")


def scene(seed: int, count: int = 60) -> Numbers:
    """Corners of random boxes that lie in their photos."""
    rng = np.random.default_rng(seed)
    edges = np.array(SIZE[::-1], dtype=np.float64)
    sides = rng.uniform(0.05, 0.4, (count, 2)) * edges
    start = rng.uniform(0, 1, (count, 2)) * (edges - sides)
    return np.concatenate([start, start + sides], axis=1)


def write(boxes: Numbers, form: Form) -> Numbers:
    """The numbers of a form."""
    sides = boxes[:, 2:] - boxes[:, :2]
    if form == "xywh":
        return np.concatenate([boxes[:, :2], sides], axis=1)
    if form == "center":
        return np.concatenate([boxes[:, :2] + sides / 2, sides], axis=1)
    return boxes + np.array([1.0, 1, 0, 0]) if form == "voc" else boxes


def read(numbers: Numbers, form: Form, size: tuple[int, int] | None = None) -> Labels:
    """Labels of a format that reads numbers in a form; a photo per box."""
    first, second = numbers[:, :2], numbers[:, 2:]
    if form in ("corners", "voc"):
        boxes = numbers - np.array([1.0, 1, 0, 0]) * (form == "voc")
        extents = second - first
    else:
        start = first - second / 2 if form == "center" else first
        boxes, extents = np.concatenate([start, start + second], axis=1), second
    count = len(numbers)
    return Labels(
        root=Path("data"),
        class_names=("cat",),
        photos=[PhotoEntry(f"{n}.jpg", Location("labels"), declared_size=size) for n in range(count)],
        photo_of=np.arange(count),
        boxes=boxes,
        extents=extents,
        labels=np.zeros(count, dtype=np.int64),
        areas=np.full(count, np.nan),
        crowd=np.zeros(count, dtype=bool),
        difficult=np.zeros(count, dtype=bool),
        location=lambda row: Location("labels", row + 1),
        box_form=form,
    )


def found_in(numbers: Numbers, form: Form, sizes: Sequence[tuple[int, int]] = ()) -> Finding | None:
    count = len(numbers)
    photo_sizes = np.array(list(sizes) or [SIZE] * count, dtype=np.int32)
    return find_other_form(read(numbers, form), np.arange(count), photo_sizes, np.inf)


@pytest.mark.parametrize(
    ("written", "form", "kind", "words"),
    [
        ("corners", "xywh", "coordinates-corners", "all fit as corners"),
        ("corners", "center", "coordinates-corners", "all fit as corners"),
        ("xywh", "corners", "coordinates-sizes", "all fit as x, y, width and height"),
        ("xywh", "voc", "coordinates-sizes", "all fit as x, y, width and height"),
        ("center", "corners", "coordinates-sizes", "all fit as center, width and height"),
        ("center", "voc", "coordinates-sizes", "all fit as center, width and height"),
        ("center", "xywh", "coordinates-centers", "all fit as center, width and height"),
        ("xywh", "center", "coordinates-upper-left", "all fit as upper left corner, width and height"),
    ],
)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_numbers_of_another_form(seed: int, written: Form, form: Form, kind: str, words: str) -> None:
    boxes = scene(seed, 150)
    if (written, form) == ("center", "corners"):
        boxes[0, :2] = 0  # at the edge, so that it does not fit as x, y, width and height
        boxes[1, 2:] = SIZE[::-1]
    finding = found_in(write(boxes, written), form)
    assert finding is not None
    assert finding.kind.id == kind
    assert finding.kind.severity == "error"
    if (written, form) != ("center", "voc"):
        assert words in finding.detail


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 100_000), form=st.sampled_from(FORMS), count=st.integers(1, 200))
def test_sound_labels(seed: int, form: Form, count: int) -> None:
    assert found_in(write(scene(seed, count), form), form) is None


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 100_000), form=st.sampled_from(FORMS), share=st.floats(0, 0.3))
def test_careless_boxes_are_no_other_form(seed: int, form: Form, share: float) -> None:
    """Boxes at all four edges that reach a few pixels beyond."""
    boxes = scene(seed, 200)
    rng = np.random.default_rng(seed)
    edges = np.tile(np.array(SIZE[::-1], dtype=np.float64), 2)
    for row in np.flatnonzero(rng.random(len(boxes)) < share).tolist():
        side = int(rng.integers(4))
        overhang = rng.uniform(1, 10)
        boxes[row, side] = -overhang if side < 2 else edges[side] + overhang
    assert found_in(write(boxes, form), form) is None


@pytest.mark.parametrize("form", ["xywh", "center"])
def test_careless_boxes_at_one_edge_are_no_other_form(form: Form) -> None:
    """Boxes of objects that all lie at one side, as those of a fixed camera do."""
    boxes = scene(5, 200)
    sides = boxes[:, 2:] - boxes[:, :2]
    if form == "xywh":
        boxes[:20, 2] = SIZE[1] + 5
        boxes[:, :2] = np.maximum(boxes[:, :2], sides / 2)
    else:
        boxes[:20, 0] = -5
        boxes[:, 2:] = np.minimum(boxes[:, 2:], np.array(SIZE[::-1]) - sides / 2)
    assert found_in(write(boxes, form), form) is None


def test_few_boxes_show_nothing() -> None:
    assert found_in(write(scene(1, 2), "corners"), "xywh") is None


def test_photos_of_unknown_size_show_nothing() -> None:
    assert found_in(write(scene(1), "corners"), "xywh", [(0, 0)] * 60) is None


def test_polygons_and_wrong_sizes_are_left_alone() -> None:
    """Only rows that are given are compared; `check_coordinates` chooses them."""
    numbers = write(scene(3), "center")
    labels = read(numbers, "xywh")
    sizes = np.array([SIZE] * 60, dtype=np.int32)
    assert find_other_form(labels, np.arange(0), sizes, np.inf) is None
