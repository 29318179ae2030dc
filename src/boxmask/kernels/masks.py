"""Training targets from masks, and masks from the scores of the mask branch.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", 2017, arXiv:1703.06870, section 3. Neither has a gradient:
one computes targets, the other applies a threshold. Both run on the CPU, where `Masks` are stored, whatever
the device.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from boxmask.kernels.mask_loops import crop_targets, find_window, paste_scores
from boxmask.kernels.threads import parallel_for
from boxmask.masks import Masks, Size

_ROIS_PER_TASK = 32
_MAX_COORDINATE = 2.0**24  # float32 cannot tell pixels apart beyond


def mask_targets(
    masks: Masks, rows: Int[Tensor, " R"], boxes: Float[Tensor, "R 4"], size: int
) -> Float[Tensor, "R M M"]:
    """Return the mean of an object's mask in each of M x M bins of each box, where M is `size`.

    masks: of one photo; rows: the mask of each box; boxes: xyxy in pixels of the masks
    Equal to `torchvision.ops.roi_align` of the full masks, not aligned and with adaptive sampling. Pixels
    outside a mask's window are zero. Raises ValueError for invalid rows or boxes.
    """
    _check(masks, rows, boxes)
    bits, offsets = masks.bits.view(np.uint8), masks.offsets
    chosen, regions = rows.cpu().numpy(), boxes.detach().float().cpu().contiguous().numpy()
    targets = np.empty((len(boxes), size, size), np.float32)

    def crop(begin: int) -> None:
        part = slice(begin, begin + _ROIS_PER_TASK)
        crop_targets(bits, offsets, masks.windows, masks.size, chosen[part], regions[part], targets[part])

    parallel_for(crop, range(0, len(boxes), _ROIS_PER_TASK))
    return torch.from_numpy(targets).to(boxes.device)


def paste_masks(
    scores: Float[Tensor, "N M M"], boxes: Float[Tensor, "N 4"], size: Size, threshold: float = 0.5
) -> Masks:
    """Resize the scores (0..1) of N objects to their boxes, and return the masks of the photo.

    boxes: xyxy in pixels of the photo; size: (height, width) of the photo
    Scores are interpolated bilinearly between the centers of their cells, and fall to a border of zeros
    beyond the outer ones. A pixel belongs to the mask if its value is above the threshold. Equal to
    `torchvision.models.detection.roi_heads.paste_masks_in_image` > threshold.
    Raises ValueError for invalid shapes.
    """
    if scores.ndim != 3 or scores.shape[1] != scores.shape[2] or boxes.shape != (len(scores), 4):
        found = f"{tuple(scores.shape)}, {tuple(boxes.shape)}"
        raise ValueError(f"paste_masks: expected (N, M, M) and (N, 4), found {found}")
    framed = torch.nn.functional.pad(scores.detach().float().cpu(), (1, 1, 1, 1)).numpy()
    spans = _pixel_spans(boxes.detach().cpu(), framed.shape[1] / max(1, scores.shape[1]))
    windows, minimum = np.zeros((len(spans), 4), np.int64), np.float32(threshold)
    parallel_for(lambda n: find_window(framed[n], spans[n], size, minimum, windows[n]), range(len(spans)))
    sides = windows[:, 2:] - windows[:, :2]
    ends = np.concatenate([[0], np.cumsum(sides[:, 0] * sides[:, 1])])
    bits = np.empty(ends[-1], np.bool_)

    def paste(n: int) -> None:
        paste_scores(framed[n], spans[n], windows[n], minimum, bits[ends[n] : ends[n + 1]])

    parallel_for(paste, np.flatnonzero(np.diff(ends)).tolist())
    return Masks(size, windows, bits)


def _pixel_spans(boxes: Float[Tensor, "N 4"], scale: float) -> NDArray[np.int64]:
    """Return the first and last pixel, on each axis, of boxes enlarged by the border of the scores."""
    half, middle = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * scale, (boxes[:, 2:] + boxes[:, :2]) * 0.5
    enlarged = torch.cat([middle - half, middle + half], dim=1)
    return enlarged.to(torch.int64).numpy()  # rounds towards zero, as torchvision does


def _check(masks: Masks, rows: Tensor, boxes: Tensor) -> None:
    if rows.dtype != torch.int64 or rows.ndim != 1 or boxes.shape != (len(rows), 4):
        found = f"{rows.dtype} {tuple(rows.shape)}, {tuple(boxes.shape)}"
        raise ValueError(f"mask_targets: expected int64 (R,) and (R, 4), found {found}")
    if len(rows) and not (int(rows.min()) >= 0 and int(rows.max()) < len(masks)):
        span = (int(rows.min()), int(rows.max()))
        raise ValueError(f"mask_targets: expected rows 0 to {len(masks) - 1}, found {span}")
    near = (boxes.abs() < _MAX_COORDINATE).all(dim=1)  # False for NaN too
    if not bool(near.all()):
        raise ValueError(f"mask_targets: expected boxes near the photo, found {boxes[~near][:3].tolist()}")
