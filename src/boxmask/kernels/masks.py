"""From an object's mask to the small map that the mask branch learns, and from such maps to a photo's masks.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", 2017, arXiv:1703.06870, section 3. Neither has a gradient:
one makes targets, the other ends at a threshold. They run on the CPU, where `Masks` are, on every device.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from boxmask.kernels.mask_loops import project, spread, survey
from boxmask.kernels.threads import parallel_for
from boxmask.masks import Masks, Size

_PORTION = 32  # RoIs that a thread takes at a time
_FARTHEST = 2.0**24  # pixels from the corner of the photo; float32 knows no single pixels beyond


def mask_targets(
    masks: Masks, rows: Int[Tensor, " R"], boxes: Float[Tensor, "R 4"], size: int
) -> Float[Tensor, "R M M"]:
    """What each box shows of one object: the mean of the object's mask in each of M x M bins, M = `size`.

    masks: of one photo; rows: which of them each box is about; boxes: xyxy in pixels of the masks
    Equal to `torchvision.ops.roi_align` of the full masks, not aligned and with adaptive sampling. What lies
    outside the object's window is zero. Raises ValueError for rows or boxes that cannot be.
    """
    _check(masks, rows, boxes)
    bits, offsets = masks.bits.view(np.uint8), masks.offsets
    chosen, regions = rows.cpu().numpy(), boxes.detach().float().cpu().contiguous().numpy()
    targets = np.empty((len(boxes), size, size), np.float32)

    def work(begin: int) -> None:
        part = slice(begin, begin + _PORTION)
        project(bits, offsets, masks.windows, masks.size, chosen[part], regions[part], targets[part])

    parallel_for(work, range(0, len(boxes), _PORTION))
    return torch.from_numpy(targets).to(boxes.device)


def paste_masks(
    scores: Float[Tensor, "N M M"], boxes: Float[Tensor, "N 4"], size: Size, threshold: float = 0.5
) -> Masks:
    """Scores 0..1 of N boxes, spread over their boxes -> the masks of a photo of `size` (height, width).

    boxes: xyxy in pixels of the photo. Each score stands at the middle of its cell; between the middles it is
    bilinear, and beyond the outer ones it falls to a rim of zeros; a pixel is in the mask where its value is
    above the threshold. Equal to `torchvision.models.detection.roi_heads.paste_masks_in_image` > threshold.
    Raises ValueError for shapes that do not fit.
    """
    if scores.ndim != 3 or scores.shape[1] != scores.shape[2] or boxes.shape != (len(scores), 4):
        raise ValueError(
            f"paste_masks: expected (N, M, M) and (N, 4), found {tuple(scores.shape)}, {tuple(boxes.shape)}"
        )
    framed = torch.nn.functional.pad(scores.detach().float().cpu(), (1, 1, 1, 1)).numpy()
    spans = _pixels(boxes.detach().cpu(), framed.shape[1] / max(1, scores.shape[1]))
    windows, least = np.zeros((len(spans), 4), np.int64), np.float32(threshold)

    def look(n: int) -> None:
        survey(framed[n], spans[n], size, least, windows[n])

    parallel_for(look, range(len(spans)))
    sides = windows[:, 2:] - windows[:, :2]
    ends = np.concatenate([[0], np.cumsum(sides[:, 0] * sides[:, 1])])
    bits = np.empty(ends[-1], np.bool_)

    def fill(n: int) -> None:
        spread(framed[n], spans[n], windows[n], least, bits[ends[n] : ends[n + 1]])

    parallel_for(fill, np.flatnonzero(np.diff(ends)).tolist())
    return Masks(size, windows, bits)


def _pixels(boxes: Float[Tensor, "N 4"], scale: float) -> NDArray[np.int64]:
    """First and last pixel, on each axis, of boxes grown about their middle by the scores' rim."""
    half, middle = (boxes[:, 2:] - boxes[:, :2]) * 0.5 * scale, (boxes[:, 2:] + boxes[:, :2]) * 0.5
    grown = torch.cat([middle - half, middle + half], dim=1)
    return grown.to(torch.int64).numpy()  # towards zero, as in torchvision


def _check(masks: Masks, rows: Tensor, boxes: Tensor) -> None:
    if rows.dtype != torch.int64 or rows.ndim != 1 or boxes.shape != (len(rows), 4):
        found = f"{rows.dtype} {tuple(rows.shape)}, {tuple(boxes.shape)}"
        raise ValueError(f"mask_targets: expected int64 (R,) and (R, 4), found {found}")
    if len(rows) and not (int(rows.min()) >= 0 and int(rows.max()) < len(masks)):
        span = (int(rows.min()), int(rows.max()))
        raise ValueError(f"mask_targets: expected rows 0 to {len(masks) - 1}, found {span}")
    near = (boxes.abs() < _FARTHEST).all(dim=1)  # False for NaN too
    if not bool(near.all()):
        raise ValueError(f"mask_targets: expected boxes near the photo, found {boxes[~near][:3].tolist()}")
