"""AP on resampled photos in a compiled loop, against its definition."""

import numpy as np
import pytest

from boxmask.kernels.precision_loops import resampled_precision

RECALLS = np.linspace(0, 1, 101)


@pytest.mark.parametrize("seed", range(4))
def test_ap_of_resamples(seed):
    random = np.random.default_rng(seed)
    num_photos, num_detections, num_ious = 9, 60, 3
    photos = random.integers(0, num_photos, num_detections).astype(np.int32)
    correct = random.random((num_ious, num_detections)) < [[0.7], [0.4], [0.0]]
    counted = correct | (random.random((num_ious, num_detections)) < 0.9)
    objects = np.array([np.sum(correct[0] & (photos == p)) + 1 for p in range(num_photos)])
    objects[0] = objects[0] if seed else 0
    weights = random.multinomial(num_photos, np.full(num_photos, 1 / num_photos), size=20).astype(np.int32)
    weights[-1] = 0  # without objects
    hits = np.nonzero(correct)
    ends = np.cumsum(np.bincount(hits[0], minlength=num_ious))
    ap = np.empty((20, num_ious))
    resampled_precision(photos, hits[1].astype(np.int32), ends, counted, objects, weights, RECALLS, ap)
    expected = [[plain_ap(w[photos], c, k, w @ objects) for c, k in zip(correct, counted)] for w in weights]  # noqa: B905
    np.testing.assert_allclose(ap, expected, atol=1e-12)
    assert np.isnan(ap[-1]).all()


def plain_ap(weight, correct, counted, total):
    """The mean over 101 recalls of the highest precision at that recall or more."""
    if total == 0:
        return np.nan
    right, seen = np.cumsum(weight * correct), np.cumsum(weight * counted)
    precision = np.divide(right, seen, out=np.zeros(len(right)), where=seen > 0)
    return np.mean([precision[right / total >= level].max(initial=0.0) for level in RECALLS])
