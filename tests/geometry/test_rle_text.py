"""COCO's text for run lengths, read as pycocotools writes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.geometry.rle_text import unpacked

MASK_OF_COCO = pytest.importorskip("pycocotools.mask")


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=30))
def test_text_holds_the_counts_that_were_packed(counts: list[int]) -> None:
    """Zeros within, and changes of every size and sign."""
    packed = MASK_OF_COCO.frPyObjects({"size": [sum(counts), 1], "counts": counts}, sum(counts), 1)
    assert unpacked(packed["counts"]).tolist() == counts
    assert unpacked(packed["counts"].decode()).tolist() == counts


@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 1.0])
def test_text_of_masks(density: float) -> None:
    mask = np.asfortranarray(np.random.default_rng(0).random((70, 50)) < density).astype(np.uint8, order="F")
    counts = unpacked(MASK_OF_COCO.encode(mask)["counts"])
    pixels = np.repeat(np.arange(len(counts)) % 2, counts)
    assert np.array_equal(pixels.reshape(50, 70).T, mask)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty or breaks off"),
        ("P", "empty or breaks off"),
        ("34P", "empty or breaks off"),
        ("3 4", "letter 1 of the run lengths is ' '"),
        ("34é", "letter 2 of the run lengths is 'é'"),
        ("34\u20ac4", "letter 2 of the run lengths is '€'"),
        ("3" + "P" * 20 + "1", "has a number of 21 letters"),
    ],
)
def test_text_that_holds_no_counts(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpacked(text)
