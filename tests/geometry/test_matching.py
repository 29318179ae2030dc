"""Matching, worked by hand."""

from collections import Counter
from itertools import permutations

import pytest
import torch

from boxmask.geometry import boxes as box
from boxmask.geometry import matching
from boxmask.geometry.matching import BACKGROUND, IGNORE, match, match_boxes
from boxmask.geometry.sampling import first_of_shuffle, sample

IOU = torch.tensor(
    [  # two ground-truth boxes, six candidates
        [0.8, 0.5, 0.2, 0.0, 0.0, 0.0],
        [0.1, 0.4, 0.2, 0.6, 0.6, 0.0],
    ]
)


def test_candidates_are_matched_background_or_ignored_by_their_iou() -> None:
    assert match(IOU, 0.3, 0.7).tolist() == [0, IGNORE, BACKGROUND, IGNORE, IGNORE, BACKGROUND]


def test_an_iou_equal_to_a_threshold_counts_as_above_it() -> None:
    iou = torch.tensor([[0.7, 0.3]])
    assert match(iou, 0.3, 0.7).tolist() == [0, IGNORE]


def test_the_best_candidates_of_each_box_are_matched_with_ties() -> None:
    assert match(IOU, 0.3, 0.7, IOU.amax(1)).tolist() == [0, IGNORE, BACKGROUND, 1, 1, BACKGROUND]


def test_a_low_quality_match_goes_to_the_box_with_the_highest_iou() -> None:
    """As in py-faster-rcnn: the best candidate of row 1 overlaps row 0 more."""
    assert match(torch.tensor([[0.6], [0.2]]), 0.3, 0.7, torch.tensor([0.6, 0.2])).tolist() == [0]


def test_a_box_without_overlap_matches_nothing() -> None:
    assert match(torch.zeros(1, 3), 0.3, 0.7, torch.zeros(1)).tolist() == [BACKGROUND] * 3


def test_no_boxes_or_no_candidates() -> None:
    assert match(torch.zeros(0, 2), 0.3, 0.7).tolist() == [BACKGROUND] * 2
    assert match(torch.zeros(2, 0), 0.3, 0.7).tolist() == []
    assert match(torch.zeros(0, 2), 0.3, 0.7).dtype == torch.int64
    empty, single = torch.zeros(0, 4), torch.tensor([[0.0, 0, 5, 5]])
    ignored = torch.zeros(1, dtype=torch.bool)
    assert match_boxes(empty, single, ignored, (0.3, 0.7), allow_low_quality=True).tolist() == []
    assert match_boxes(single, empty, ignored[:0], (0.3, 0.7), allow_low_quality=True).tolist() == [
        BACKGROUND
    ]


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    corner = torch.randint(0, 20, (200, 2)).float()
    candidates = torch.cat([corner, corner + torch.randint(1, 9, (200, 2))], 1)
    boxes, ignored = candidates[::23], torch.arange(9) % 4 == 3
    expected = match_boxes(candidates, boxes, ignored, (0.3, 0.7), allow_low_quality=True)
    monkeypatch.setattr(matching, "CANDIDATES_PER_CHUNK", 7)
    assert torch.equal(match_boxes(candidates, boxes, ignored, (0.3, 0.7), allow_low_quality=True), expected)


def test_candidates_half_inside_a_crowd_are_ignored() -> None:
    candidates = torch.tensor([[0.0, 0, 10, 10], [15.0, 0, 25, 10], [16.0, 0, 26, 10], [40.0, 0, 50, 10]])
    boxes = torch.tensor([[0.0, 0, 20, 20], [40.0, 0, 50, 10]])
    matched = match_boxes(candidates, boxes, torch.tensor([True, False]), (0.3, 0.7), allow_low_quality=True)
    assert matched.tolist() == [IGNORE, IGNORE, BACKGROUND, 1]


def test_an_object_inside_a_crowd_is_matched() -> None:
    box = torch.tensor([[5.0, 5, 10, 10]])
    boxes = torch.cat([torch.tensor([[0.0, 0, 20, 20]]), box])
    assert match_boxes(
        box, boxes, torch.tensor([True, False]), (0.3, 0.7), allow_low_quality=False
    ).tolist() == [1]


def test_negatives_take_the_places_that_positives_leave() -> None:
    matched = torch.tensor([0, 0, 0] + [BACKGROUND] * 20 + [IGNORE] * 5)
    found = sample([matched], 16, 0.5)
    assert found.positive.tolist() == [0, 1, 2]
    assert sorted(found.rows[:3].tolist()) == [0, 1, 2]
    assert found.counts == [16]
    found = sample([matched], 8, 0.25)
    assert (found.positive.tolist(), found.counts) == ([0, 1], [8])


def test_samples_of_a_batch_are_those_of_its_photos() -> None:
    """The third photo has no candidates, the second has few."""
    photos = [torch.tensor([2, IGNORE, BACKGROUND, 0] * 9), torch.tensor([BACKGROUND, 1])]
    photos.append(torch.zeros(0, dtype=torch.int64))
    together = sample(photos, 8, 0.5, torch.Generator().manual_seed(0))
    one_by_one = torch.Generator().manual_seed(0)
    alone = [sample([photo], 8, 0.5, one_by_one) for photo in photos]
    assert torch.equal(together.rows, torch.cat([samples.rows for samples in alone]))
    assert together.counts == [8, 2, 0]
    assert together.photos.tolist() == [0] * 8 + [1] * 2
    assert (torch.cat(photos)[together.places][together.positive] >= 0).all()
    assert together.positive.tolist() == [0, 1, 2, 3, 8]


def test_matches_of_a_batch_are_those_of_its_photos() -> None:
    torch.manual_seed(0)
    corners = torch.rand(60, 2) * 40
    candidates = torch.cat([corners, corners + 5 + torch.rand(60, 2) * 20], dim=1)
    photos = [candidates[:5] + 1, candidates[:0], candidates[20:23] - 1]
    overlaps = box.iou(box.pad(photos), candidates)
    assert overlaps.shape == (3, 5, 60)
    found = match(overlaps, 0.3, 0.7, overlaps.amax(dim=2))
    expected = [match_boxes(candidates, boxes, None, (0.3, 0.7), allow_low_quality=True) for boxes in photos]
    assert torch.equal(found, torch.stack(expected))


def test_the_first_of_a_shuffle_are_all_ordered_choices_equally_often() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = [tuple(first_of_shuffle(5, 3, generator).tolist()) for _ in range(12_000)]
    counts = Counter(draws)
    assert set(counts) == set(permutations(range(5), 3))  # 60, each expected 200 times
    chi_squared = sum((count - 200) ** 2 / 200 for count in counts.values())
    assert chi_squared < 100  # 59 degrees of freedom: the 99.9th percentile


def test_a_few_of_many_rows_are_sampled_without_repetition_and_from_everywhere() -> None:
    matched = torch.full((100_000,), BACKGROUND)
    generator = torch.Generator().manual_seed(0)
    samples = torch.stack([sample([matched], 256, 0.5, generator).rows for _ in range(100)])
    assert all(len(set(row.tolist())) == 256 for row in samples)
    in_tenths = (samples.flatten() // 10_000).bincount(minlength=10)
    assert (in_tenths - 2560).abs().max() < 4 * 2560**0.5
