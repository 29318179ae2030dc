"""Properties of matching and sampling, for all boxes."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.geometry.matching import BACKGROUND, CROWD_COVERAGE, IGNORE, match, match_boxes
from boxmask.geometry.sampling import sample


@st.composite
def grid_boxes(draw: st.DrawFn, max_count: int) -> Tensor:
    """(N, 4) with corners on a coarse grid, so that ties and equal boxes occur."""
    corner, side = st.integers(0, 8), st.integers(1, 6)
    rows = draw(st.lists(st.tuples(corner, corner, side, side), max_size=max_count))
    xywh = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)


thresholds = st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)).map(lambda pair: tuple(sorted(pair)))
Pair = tuple[float, float]


@given(grid_boxes(5), grid_boxes(12), thresholds)
def test_every_candidate_is_matched_background_or_ignored(
    truth: Tensor, candidates: Tensor, pair: Pair
) -> None:
    iou = box.iou(truth, candidates)
    matched = match(iou, *pair)
    assert matched.shape == (len(candidates),)
    assert matched.dtype == torch.int64
    for candidate, row in enumerate(matched.tolist()):
        best = float(iou[:, candidate].max()) if len(truth) else 0.0
        if row >= 0:
            assert best >= pair[1]
            assert float(iou[row, candidate]) == best
        else:
            assert row == (BACKGROUND if best < pair[0] else IGNORE)
            assert best < pair[1]


@given(grid_boxes(5), grid_boxes(12), thresholds)
def test_low_quality_matches_are_the_best_candidates_of_every_box(
    truth: Tensor, candidates: Tensor, pair: Pair
) -> None:
    iou = box.iou(truth, candidates)
    plain = match(iou, *pair)
    ignored = torch.zeros(len(truth), dtype=torch.bool)
    matched = match_boxes(candidates, truth, ignored, pair, allow_low_quality=True)
    assert torch.equal(matched[plain >= 0], plain[plain >= 0])  # no other match changes
    best = torch.zeros(len(candidates), dtype=torch.bool)
    for row in iou:
        if len(row) and row.max() > 0:
            best |= row == row.max()
    assert torch.equal(matched >= 0, best | (plain >= 0))


@given(grid_boxes(5), grid_boxes(12), st.data())
def test_ignored_boxes_are_neither_object_nor_background(
    truth: Tensor, candidates: Tensor, data: st.DataObject
) -> None:
    flags = st.lists(st.booleans(), min_size=len(truth), max_size=len(truth))
    ignored = torch.tensor(data.draw(flags), dtype=torch.bool)
    matched = match_boxes(candidates, truth, ignored, (0.3, 0.7), allow_low_quality=True)
    assert not ignored[matched[matched >= 0]].any()
    covered = (box.coverage(truth[ignored], candidates) >= CROWD_COVERAGE).any(dim=0)
    assert not (covered & (matched == BACKGROUND)).any()
    counted = torch.where(~ignored)[0]
    alone = match_boxes(candidates, truth[counted], ignored[counted], (0.3, 0.7), allow_low_quality=True)
    assert torch.equal(matched >= 0, alone >= 0)  # ignored boxes do not affect the others
    assert torch.equal(matched[matched >= 0], counted[alone[alone >= 0]])


@given(
    st.lists(st.sampled_from([IGNORE, BACKGROUND, 0, 1, 2]), max_size=60),
    st.integers(0, 40),
    st.floats(0, 1),
    st.integers(0, 2**31),
)
def test_samples_have_the_right_size(rows: list[int], count: int, fraction: float, seed: int) -> None:
    matched = torch.tensor(rows, dtype=torch.int64)
    samples = sample([matched], count, fraction, torch.Generator().manual_seed(seed))
    positive, negative = samples.rows.split(
        [len(samples.positive), samples.counts[0] - len(samples.positive)]
    )
    assert (matched[positive] >= 0).all()
    assert (matched[negative] == BACKGROUND).all()
    sampled = torch.cat([positive, negative])
    assert len(sampled.unique()) == len(sampled) <= count
    assert len(positive) == min(int((matched >= 0).sum()), int(count * fraction))
    assert len(negative) == min(int((matched == BACKGROUND).sum()), count - len(positive))


@given(st.integers(0, 2**31))
def test_the_generator_determines_the_sample(seed: int) -> None:
    matched = torch.tensor([0, BACKGROUND] * 20)
    first = sample([matched], 10, 0.5, torch.Generator().manual_seed(seed))
    second = sample([matched], 10, 0.5, torch.Generator().manual_seed(seed))
    assert torch.equal(first.rows, second.rows)
