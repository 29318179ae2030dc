"""COCO's and VOC's matching in compiled loops, against plain references."""

import numpy as np
import pytest

from boxmask.kernels.matching_loops import coco_matches, voc_matches

IOUS = np.linspace(0.5, 0.95, 10)


@pytest.fixture(params=range(12))
def groups(request):
    """Random groups with crowd regions and ignored objects, on a coarse grid so that ties occur."""
    random = np.random.default_rng(request.param)

    def boxes(count):
        low = random.integers(0, 6, (count, 2)) * 4.0
        return np.concatenate([low, random.integers(1, 5, (count, 2)) * 4.0], axis=1)

    num_groups = 20
    starts = np.concatenate([[0], np.cumsum(random.integers(1, 9, num_groups))])
    ends = np.cumsum(random.integers(0, 6, num_groups))
    objects = boxes(int(ends[-1]))
    crowd = random.random(len(objects)) < 0.2
    ignored = crowd | (random.random(len(objects)) < 0.2)
    return boxes(int(starts[-1])), starts, objects, np.concatenate([[0], ends[:-1]]), ends, crowd, ignored


def overlap(box, other, is_crowd):
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[:2] + box[2:], other[:2] + other[2:])
    shared = np.maximum(high - low, 0).prod()
    return shared / (box[2:].prod() if is_crowd else box[2:].prod() + other[2:].prod() - shared)


def test_coco_matches(groups):
    boxes, starts, objects, first, last, crowd, ignored = groups
    correct, counted = coco_matches(*groups, IOUS, 5)
    for g in range(len(first)):
        for t, min_iou in enumerate(IOUS):
            free = dict.fromkeys(range(first[g], last[g]), True)
            for d in range(starts[g], starts[g + 1]):
                expected = (False, d < starts[g] + 5)
                for is_ignored in (False, True):
                    reached = [
                        (overlap(boxes[d], objects[n], crowd[n]), n)
                        for n in free
                        if ignored[n] == is_ignored and (free[n] or crowd[n])
                    ]
                    best = max(reached, default=(0.0, -1))  # the last of equals
                    if d < starts[g] + 5 and best[0] >= min_iou:
                        free[best[1]] = False
                        expected = (not is_ignored, not is_ignored)
                        break
                assert (correct[t, d], counted[t, d]) == expected


def test_voc_matches(groups):
    boxes, starts, objects, first, last, crowd, ignored = groups
    difficult = ignored & ~crowd
    correct, counted = voc_matches(*groups[:5], crowd, difficult, 0.5)
    for g in range(len(first)):
        found = set()
        for d in range(starts[g], starts[g + 1]):
            overlaps = {n: overlap(boxes[d], objects[n], crowd[n]) for n in range(first[g], last[g])}
            in_crowd = any(share >= 0.5 for n, share in overlaps.items() if crowd[n])
            single = {n: share for n, share in overlaps.items() if not crowd[n]}
            nearest = max(single, key=single.__getitem__, default=-1)  # the first of equals
            expected = (False, not in_crowd)
            if single and single[nearest] >= 0.5:
                expected = (nearest not in found and not difficult[nearest], not difficult[nearest])
                found |= {nearest} if not difficult[nearest] else set()
            assert (correct[d], counted[d]) == expected
