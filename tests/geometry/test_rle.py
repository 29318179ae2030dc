"""Run lengths equal pycocotools', as counts and as compressed text."""

from __future__ import annotations

import numpy as np
import pytest
from hotcoco import mask as hotcoco_mask
from hypothesis import given
from hypothesis import strategies as st

from boxmask.geometry.rle import compress, decode, decompress, decompress_all, encode
from boxmask.masks import Masks

coco_mask = pytest.importorskip("pycocotools.mask")


@pytest.mark.parametrize("seed", range(20))
def test_counts_equal_pycocotools(seed: int) -> None:
    """Includes runs that continue from the lower edge of the photo to the top of the next column."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 12, 2))
    dense = rng.random((8, height, width)) < rng.choice([0.1, 0.5, 0.95])
    dense[0], dense[1] = True, False
    dense[2, :, width // 2 :] = True
    dense[3, : height // 2] = False
    counts = encode(Masks.from_dense(dense))
    for mask, ours in zip(dense, counts, strict=True):
        flat = mask.astype(np.uint8).ravel(order="F")
        changes = np.flatnonzero(np.diff(flat, prepend=0))
        assert ours.tolist() == np.diff(changes, prepend=0, append=flat.size).tolist()
        theirs = coco_mask.frPyObjects({"size": [height, width], "counts": ours.tolist()}, height, width)
        assert theirs == coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert np.array_equal(decode(counts, (height, width)).dense(), dense)


@pytest.mark.parametrize("counts", [[5, 3, -2], [3, 4]])
def test_counts_that_do_not_fit_the_photo_are_rejected(counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"run lengths: expected a sum of 6, found"):
        decode([np.array(counts)], (2, 3))


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=30))
def test_decompress_inverts_pycocotools_compression(counts: list[int]) -> None:
    """Includes zero counts, and differences of every size and sign."""
    compressed = coco_mask.frPyObjects({"size": [sum(counts), 1], "counts": counts}, sum(counts), 1)
    assert decompress(compressed["counts"]).tolist() == counts
    assert decompress(compressed["counts"].decode()).tolist() == counts


@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 1.0])
def test_decompress_masks(density: float) -> None:
    mask = np.asfortranarray(np.random.default_rng(0).random((70, 50)) < density).astype(np.uint8, order="F")
    counts = decompress(coco_mask.encode(mask)["counts"])
    pixels = np.repeat(np.arange(len(counts)) % 2, counts)
    assert np.array_equal(pixels.reshape(50, 70).T, mask)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty or incomplete"),
        ("P", "empty or incomplete"),
        ("34P", "empty or incomplete"),
        ("3 4", "invalid character ' ' at index 1"),
        ("34é", "invalid character 'é' at index 2"),
        ("34\u20ac4", "invalid character '€' at index 2"),
        ("3" + "P" * 20 + "1", "a number has 21 characters"),
    ],
)
def test_malformed_text_is_rejected(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decompress(text)


def test_many_texts_are_decompressed_at_once() -> None:
    generator = np.random.default_rng(0)
    masks = [generator.random((37, 23)) < share for share in (0, 0.02, 0.5, 0.98, 1) for _ in range(9)]
    texts = [coco_mask.encode(np.asfortranarray(mask))["counts"] for mask in masks]
    counts, numbers = decompress_all(texts)
    one_by_one = [decompress(text) for text in texts]
    assert numbers.tolist() == [len(runs) for runs in one_by_one]
    assert counts.tolist() == np.concatenate(one_by_one).tolist()
    assert [len(part) for part in decompress_all([])] == [0, 0]


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=40))
def test_counts_are_compressed_as_by_hotcoco(counts: list[int]) -> None:
    runs = np.array(counts, dtype=np.int32)
    text = compress(runs)
    assert decompress(text).tolist() == counts
    assert text == hotcoco_mask.rle_to_string({"size": [1, sum(counts)], "counts": runs})
