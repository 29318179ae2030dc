from __future__ import annotations

import numpy as np
import pytest
import torch

from boxmask.kernels import mask_targets, paste_masks
from boxmask.masks import Masks

BOX = torch.tensor([[4.0, 2, 12, 10]])


def square() -> Masks:
    """Return three masks: the second fills x 6..10, y 4..8; the third is unknown."""
    dense = np.zeros((3, 20, 30), dtype=np.bool_)
    dense[0, 15:, 20:] = dense[1, 4:8, 6:10] = True
    return Masks.from_dense(dense)


def test_a_target_is_the_mask_in_the_box() -> None:
    """Bins are one pixel; samples lie at the upper left corners of pixels and halfway between."""
    (target,) = mask_targets(square(), torch.tensor([1]), BOX, 8)
    line = torch.tensor([0, 0.5, 1, 1, 1, 0.5, 0, 0])  # a sample halfway between two pixels is their mean
    torch.testing.assert_close(target, line[:, None] * line)


def test_targets_of_distant_and_of_unknown_masks_are_zero() -> None:
    found = mask_targets(square(), torch.tensor([0, 2, 1]), BOX.repeat(3, 1), 4)
    assert found.shape == (3, 4, 4)
    assert not found[:2].any()
    assert found[2].any()


def test_true_may_be_any_byte() -> None:
    """`numpy.array` of a Pillow image of mode "1" stores True as 255."""
    plain = square()
    odd = Masks(plain.size, plain.windows, (plain.bits * np.uint8(255)).view(np.bool_))
    found = mask_targets(odd, torch.tensor([1]), BOX, 8)
    assert torch.equal(found, mask_targets(plain, torch.tensor([1]), BOX, 8))


def test_no_boxes_or_no_masks() -> None:
    no_rows = torch.zeros(0, dtype=torch.int64)
    assert mask_targets(square(), no_rows, torch.zeros(0, 4), 28).shape == (0, 28, 28)
    assert mask_targets(Masks.unknown(0, (5, 5)), no_rows, torch.zeros(0, 4), 28).shape == (0, 28, 28)


def test_a_photo_of_one_pixel() -> None:
    masks = Masks.from_dense(np.ones((1, 1, 1), dtype=np.bool_))
    (target,) = mask_targets(masks, torch.tensor([0]), torch.tensor([[0.0, 0, 1, 1]]), 14)
    torch.testing.assert_close(target, torch.ones(14, 14))


def test_targets_reject_invalid_arguments() -> None:
    row = torch.tensor([0])
    with pytest.raises(ValueError, match=r"expected int64 \(R,\) and \(R, 4\), found torch.int64 \(1,\)"):
        mask_targets(square(), row, torch.zeros(2, 4), 28)
    with pytest.raises(ValueError, match=r"expected rows 0 to 2, found \(0, 3\)"):
        mask_targets(square(), torch.tensor([0, 3]), torch.zeros(2, 4), 28)
    with pytest.raises(ValueError, match=r"expected boxes near the photo, found \[\[nan"):
        mask_targets(square(), row, torch.full((1, 4), torch.nan), 28)
    with pytest.raises(ValueError, match=r"expected boxes near the photo, found \[\[0.0, 0.0, 1000000000.0"):
        mask_targets(square(), row, torch.tensor([[0, 0, 1e9, 1]]), 28)


def test_scores_of_one_fill_their_box() -> None:
    """The corners are missing: scores fall to a half at an edge, and so to a quarter at a corner."""
    masks = paste_masks(torch.ones(1, 28, 28), torch.tensor([[10.0, 20, 570, 580]]), (600, 600))
    assert masks.windows.tolist() == [[10, 20, 571, 581]]  # the last pixels are included, as in torchvision
    (crop,) = masks.crops()
    assert crop[10:-10, :].all()
    assert not crop[0, 0]
    assert 0.999 < crop.mean() < 1


def test_only_the_window_is_stored() -> None:
    scores = torch.zeros(1, 28, 28)
    scores[0, 14:, :14] = 1
    masks = paste_masks(scores, torch.tensor([[0.0, 0, 280, 280]]), (3000, 4000))
    x1, y1, x2, y2 = masks.windows[0].tolist()
    assert (abs(x1), abs(y1 - 140), abs(x2 - 140), abs(y2 - 280)) < (1, 2, 2, 2)
    assert len(masks.bits) == (x2 - x1) * (y2 - y1)


def test_scores_below_the_threshold_give_an_empty_window() -> None:
    masks = paste_masks(torch.full((2, 28, 28), 0.5), BOX.repeat(2, 1), (20, 30))
    assert masks.windows.tolist() == [[0, 0, 0, 0]] * 2
    assert not masks.known.any()


def test_boxes_outside_the_photo_and_no_boxes() -> None:
    far = torch.tensor([[-90.0, -90, -50, -50], [40, 40, 60, 60]])
    assert not paste_masks(torch.ones(2, 28, 28), far, (20, 30)).known.any()
    empty = paste_masks(torch.zeros(0, 28, 28), torch.zeros(0, 4), (20, 30))
    assert (len(empty), empty.size) == (0, (20, 30))


def test_a_box_below_one_pixel_gives_one_pixel() -> None:
    masks = paste_masks(torch.ones(1, 28, 28), torch.tensor([[3.2, 4.1, 3.4, 4.3]]), (20, 30))
    assert masks.windows.tolist() == [[3, 4, 4, 5]]


def test_threads_do_not_change_the_result() -> None:
    torch.manual_seed(0)
    corner = torch.rand(90, 2) * 20
    boxes = torch.cat([corner, corner + torch.rand(90, 2) * 20], dim=1)
    scores, rows = torch.rand(90, 14, 14), torch.arange(90) % 2
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append((mask_targets(square(), rows, boxes, 14), paste_masks(scores, boxes, (20, 30))))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0][0], results[1][0])
    assert np.array_equal(results[0][1].bits, results[1][1].bits)
    assert np.array_equal(results[0][1].windows, results[1][1].windows)


def test_pasting_rejects_invalid_arguments() -> None:
    with pytest.raises(ValueError, match=r"expected \(N, M, M\) and \(N, 4\), found \(2, 3, 4\), \(2, 4\)"):
        paste_masks(torch.zeros(2, 3, 4), torch.zeros(2, 4), (20, 30))
