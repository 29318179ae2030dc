import numpy as np
import pytest
from pycocotools import mask as coco_mask

from boxmask.geometry.rle import decode, encode
from boxmask.masks import Masks


@pytest.mark.parametrize("seed", range(20))
def test_counts_by_window_equal_pycocotools(seed):
    """Also where a run goes on from the lower rim of the photo to the upper one."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 12, 2)
    dense = rng.random((8, height, width)) < rng.choice([0.1, 0.5, 0.95])
    dense[0], dense[1] = True, False
    dense[2, :, width // 2 :] = True
    dense[3, : height // 2] = False
    counts = encode(Masks.from_dense(dense))
    for mask, ours in zip(dense, counts, strict=True):
        flat = mask.astype(np.uint8).ravel(order="F")
        changes = np.flatnonzero(np.diff(flat, prepend=0))
        assert ours.tolist() == np.diff(changes, prepend=0, append=flat.size).tolist()
        theirs = coco_mask.frPyObjects(
            {"size": [int(height), int(width)], "counts": ours.tolist()}, height, width
        )
        assert theirs == coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert np.array_equal(decode(counts, (int(height), int(width))).dense(), dense)
