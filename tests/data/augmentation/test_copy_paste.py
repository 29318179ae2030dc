"""Copy-paste: pasted pixels have labels, and labels have pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from boxmask.data.augmentation.copy_paste import MAX_COVERED, CopyPaste
from boxmask.data.augmentation.pasted_region import MIN_LEFT, PastedRegion, visible_objects
from boxmask.masks import Masks
from boxmask.types import Target

SIZE = (60, 90)
BELOW, ABOVE = 50, 200  # the gray of the two photos
ALL = CopyPaste((1.0, 1.0, 1.0))

Boxes = list[list[int]]


@st.composite
def box(draw: st.DrawFn) -> list[int]:
    x, y = draw(st.integers(0, SIZE[1] - 6)), draw(st.integers(0, SIZE[0] - 6))
    return [
        x,
        y,
        draw(st.integers(x + 4, min(x + 40, SIZE[1]))),
        draw(st.integers(y + 4, min(y + 30, SIZE[0]))),
    ]


BOXES = st.lists(box(), min_size=1, max_size=3)
SEEDS = st.integers(0, 2**32)


def photo(gray: int, boxes: Boxes, with_masks: bool, size: tuple[int, int] = SIZE) -> tuple[Tensor, Target]:
    """A gray photo whose objects have no color of their own; masks are ellipses in the boxes."""
    masks = np.zeros((len(boxes), *size), dtype=bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        y, x = np.mgrid[: size[0], : size[1]] + 0.5
        mask |= ((2 * x - x1 - x2) / (x2 - x1)) ** 2 + ((2 * y - y1 - y2) / (y2 - y1)) ** 2 <= 1
    target = Target.of(boxes, range(len(boxes)))
    if with_masks:
        target = replace(target, masks=Masks.from_dense(masks))
    return torch.full((3, *size), gray, dtype=torch.uint8), target


def dense(target: Target) -> np.ndarray:
    assert target.masks is not None
    return target.masks.dense()


@settings(max_examples=150, deadline=None)
@given(below=BOXES, above=BOXES, seed=SEEDS)
def test_masks_are_the_visible_pixels(below: Boxes, above: Boxes, seed: int) -> None:
    image, labels = photo(ABOVE, above, with_masks=True)
    source = image, replace(labels, labels=labels.labels + 3)
    image, original = photo(BELOW, below, with_masks=True)
    image, target = CopyPaste((0.5,) * 6)((image, original), source, np.random.default_rng(seed))
    masks = {int(label): mask for label, mask in zip(target.labels, dense(target), strict=True)}
    assert len(masks) == len(target.labels)
    covered = np.any(
        [mask for label, mask in masks.items() if label >= 3] or [np.zeros(SIZE, dtype=bool)], axis=0
    )
    assert ((image[0].numpy() != BELOW) >= covered).all()
    for label in range(len(below)):
        whole = dense(original)[label]
        rest = whole & ~covered
        if rest.sum() < MIN_LEFT * whole.sum():
            assert label not in masks
        else:
            assert np.array_equal(masks[label], rest)
    for label in range(len(above)):
        if label + 3 in masks:
            assert (masks[label + 3] <= dense(labels)[label]).all()
    for found, mask in zip(target.boxes.numpy(), dense(target), strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        tight = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        assert np.abs(tight - found).max() <= 2  # an ellipse may miss the outermost row of its box
        assert (found[:2] >= 0).all()
        assert (found[2:] <= [SIZE[1], SIZE[0]]).all()


@settings(max_examples=150, deadline=None)
@given(boxes=BOXES, hidden=BOXES, with_masks=st.booleans())
def test_objects_are_kept_ignored_or_removed_by_the_share_that_is_visible(
    boxes: Boxes, hidden: Boxes, with_masks: bool
) -> None:
    _, target = photo(BELOW, boxes, with_masks)
    visible = np.ones(SIZE, dtype=bool)
    for x1, y1, x2, y2 in hidden:
        visible[y1:y2, x1:x2] = False
    result = visible_objects(target, visible, min_visible=0.3)
    expected = {}
    for label, (x1, y1, x2, y2) in enumerate(boxes):
        pixels = np.zeros(SIZE, dtype=bool)
        pixels[y1:y2, x1:x2] = True
        pixels = dense(target)[label] if with_masks else pixels
        share = (pixels & visible).sum() / pixels.sum()
        if share >= MIN_LEFT:
            expected[label] = (share < 0.3, pixels & visible, share == 1)
    assert result.labels.tolist() == list(expected)
    for row, (ignored, rest, is_whole) in enumerate(expected.values()):
        assert bool(result.ignore[row]) == ignored
        if with_masks:
            assert np.array_equal(dense(result)[row], rest)
        rows, columns = np.flatnonzero(rest.any(axis=1)), np.flatnonzero(rest.any(axis=0))
        tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        if is_whole:
            assert result.boxes[row].tolist() == boxes[result.labels[row]]
        elif not with_masks:
            assert result.boxes[row].tolist() == tight


@settings(max_examples=100, deadline=None)
@given(below=BOXES, above=BOXES, seed=SEEDS, with_masks=st.booleans())
def test_no_pasted_object_lacks_a_label(below: Boxes, above: Boxes, seed: int, with_masks: bool) -> None:
    image, target = ALL(
        photo(BELOW, below, with_masks), photo(ABOVE, above, with_masks), np.random.default_rng(seed)
    )
    x = np.zeros(SIZE, dtype=bool)
    for x1, y1, x2, y2 in target.boxes.round().int().tolist():
        x[max(0, y1 - 16) : y2 + 16, max(0, x1 - 16) : x2 + 16] = True
    assert x[(image[0] != BELOW).numpy()].all()
    fits = [(x2 - x1) * (y2 - y1) <= MAX_COVERED * SIZE[0] * SIZE[1] for x1, y1, x2, y2 in above]
    assert bool((image[0] != BELOW).any()) == any(fits)


def test_a_box_is_pasted_with_a_soft_rim() -> None:
    image, target = ALL(
        photo(BELOW, [], False), photo(ABOVE, [[30, 20, 60, 40]], False), np.random.default_rng(0)
    )
    assert target.boxes.tolist() == [[30, 20, 60, 40]]
    assert (image[:, 20:40, 30:60] == ABOVE).all()
    row = image[0, 30, :].int()
    assert (row.diff()[:45] >= 0).all()
    assert (row.diff()[45:] <= 0).all()
    assert row.diff().abs().max() < (ABOVE - BELOW) * 0.6
    assert row[27] == BELOW
    assert row[63] == BELOW


def test_a_mask_is_pasted_with_a_soft_rim() -> None:
    source = photo(ABOVE, [[30, 20, 60, 40]], True)
    image, target = ALL(photo(BELOW, [], True), source, np.random.default_rng(0))
    mask = dense(source[1])[0]
    assert np.array_equal(dense(target)[0], mask)
    values = np.unique(image[0].numpy())
    assert BELOW < values[1] < values[-2] < ABOVE == values[-1]
    assert (image[0].numpy()[mask] > BELOW).all()


def test_what_lies_in_a_pasted_box_comes_along() -> None:
    above = photo(ABOVE, [[20, 20, 60, 50], [25, 25, 35, 35], [50, 20, 75, 50]], False)
    only_first = CopyPaste((1.0, 1e-9, 1e-9))
    _, target = only_first(photo(BELOW, [], False), above, np.random.default_rng(3))
    assert target.labels.tolist() == [0, 1, 2]
    assert target.boxes[:2].tolist() == [[20, 20, 60, 50], [25, 25, 35, 35]]
    assert 60 <= float(target.boxes[2, 2]) <= 62  # cropped at the rim


def test_difficult_objects_are_not_pasted() -> None:
    image, source = photo(ABOVE, [[30, 20, 60, 40]], False)
    marked = replace(source, ignore=torch.tensor([True]))
    pasted, target = ALL(photo(BELOW, [[0, 0, 9, 9]], False), (image, marked), np.random.default_rng(0))
    assert (pasted == BELOW).all()
    assert target.labels.tolist() == [0]


def test_an_object_that_fills_the_photo_is_not_pasted() -> None:
    pasted, target = ALL(
        photo(BELOW, [[0, 0, 9, 9]], False), photo(ABOVE, [[2, 2, 88, 58]], False), np.random.default_rng(0)
    )
    assert (pasted == BELOW).all()
    assert len(target.labels) == 1


def test_a_fully_hidden_object_is_removed() -> None:
    _, target = ALL(
        photo(BELOW, [[35, 25, 45, 35]], False),
        photo(ABOVE, [[0, 0, 1, 1], [30, 20, 60, 40]], False),
        np.random.default_rng(0),
    )
    assert target.labels.tolist() == [0, 1]
    assert [30, 20, 60, 40] in target.boxes.tolist()


@pytest.mark.parametrize("with_masks", [True, False])
@pytest.mark.parametrize("size", [(40, 130), (100, 100), (60, 90)])
def test_a_source_of_another_size(size: tuple[int, int], with_masks: bool) -> None:
    for seed in range(10):
        image, target = ALL(
            photo(BELOW, [[0, 0, 30, 30]], with_masks),
            photo(ABOVE, [[5, 5, 30, 30], [20, 20, 40, 38]], with_masks, size),
            np.random.default_rng(seed),
        )
        assert image.shape == (3, *SIZE)
        assert (target.boxes[:, 2:] <= torch.tensor([90, 60])).all()
        assert target.masks is None or target.masks.size == SIZE


def test_objects_with_unknown_masks_are_pasted_with_their_box() -> None:
    image, source = photo(ABOVE, [[30, 20, 60, 40], [70, 5, 80, 15]], True)
    assert source.masks is not None
    half_known = Masks.concatenate([Masks.unknown(1, SIZE), source.masks[1:]], SIZE)
    pasted, target = ALL(
        photo(BELOW, [], True), (image, replace(source, masks=half_known)), np.random.default_rng(0)
    )
    assert (pasted[:, 20:40, 30:60] == ABOVE).all()
    assert target.masks is not None
    assert target.masks.known.tolist() == [False, True]


def test_rare_classes_are_pasted_more_often() -> None:
    rare_first = CopyPaste((0.9, 0.1))
    source = photo(ABOVE, [[5, 5, 15, 15], [40, 40, 50, 50]], False)
    labels = [
        rare_first(photo(BELOW, [], False), source, np.random.default_rng(seed))[1].labels.tolist()
        for seed in range(200)
    ]
    assert sum(0 in found for found in labels) > 160
    assert sum(1 in found for found in labels) < 60


def test_an_empty_region_pastes_nothing() -> None:
    region = PastedRegion(np.zeros(SIZE, dtype=np.int16), np.zeros(SIZE, dtype=np.bool_))
    image = photo(BELOW, [], False)[0]
    region.paste(photo(ABOVE, [], False)[0], image)
    assert (image == BELOW).all()
