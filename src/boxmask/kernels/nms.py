"""Non-maximum suppression (NMS): of boxes that overlap, only the one with the highest score is kept.

Boxes are visited by descending score, ties in the given order. A box is dropped if its IoU with a kept box is
above the threshold. On a CPU this runs the loop in `nms_loops`; on other devices it calls torchvision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from boxmask.kernels.nms_loops import kept_boxes
from boxmask.kernels.operators import operator_or_function

_MAX_SHIFTED = 25_000  # boxes; torchvision runs NMS per group from here on


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Return the rows to keep, by descending score, like `torchvision.ops.nms`.

    (N, 4), (N,), IoU in 0..1 -> (K,) int64. A box that contains NaN neither suppresses nor is suppressed.
    Raises ValueError for invalid shapes or types.
    """
    if boxes.device.type != "cpu":
        from boxmask.torchvision_import import torchvision

        kept: Tensor = torchvision.ops.nms(boxes, scores, iou_threshold)
    else:
        kept = _suppress(boxes, scores, torch.zeros_like(scores, dtype=torch.int64), iou_threshold)
    return kept


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Return the rows to keep, by descending score; only boxes with the same value in `idxs` compete.

    (N, 4), (N,), (N,) integers, IoU in 0..1 -> (K,) int64. Equal to one call of `nms` per value of `idxs`.
    (On a GPU, groups are shifted apart as by torchvision, which costs the last digits of IoU, unless there
    are over 25,000 boxes.)
    Raises ValueError for invalid shapes or types.
    """
    if boxes.device.type == "cpu":
        return _suppress(boxes, scores, idxs, iou_threshold)
    from boxmask.torchvision_import import torchvision

    if 0 < len(boxes) <= _MAX_SHIFTED:
        # as torchvision, which copies a 1 to the GPU for it and waits
        shifts = idxs.to(boxes) * (boxes.max() + 1)
        kept: Tensor = torchvision.ops.nms(boxes + shifts[:, None], scores, iou_threshold)
    else:
        kept = torchvision.ops.batched_nms(boxes, scores, idxs, iou_threshold)
    return kept


def _suppress(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    suppress = operator_or_function(_nms, _suppress_on_cpu, boxes, scores, idxs)
    return suppress(boxes, scores, idxs, iou_threshold)


def _suppress_on_cpu(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    _check(boxes, scores, idxs)
    # numpy, because PyTorch would wake its threads for this little work, and wait for them on a busy machine
    by_score = _descending(scores.detach().numpy())
    by_group = np.argsort(idxs.detach().numpy()[by_score], kind="stable")
    order = by_score[by_group]
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.detach().numpy()[order].T)
    groups = np.unique(idxs.detach().numpy()[order], return_inverse=True)[1]
    keep = np.empty(len(order), dtype=np.bool_)
    keep[by_group] = kept_boxes(x1, y1, x2, y2, groups, _round_down(iou_threshold, x1.dtype))
    return torch.from_numpy(by_score[keep])


_nms = torch.library.custom_op("boxmask::nms", _suppress_on_cpu, mutates_args=(), device_types="cpu")


@_nms.register_fake
def _(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


_nms.register_autocast("cpu", torch.float32)


def _descending(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rows by descending score, ties in the given order and NaN first, like `torch.sort`."""
    reverse = np.argsort(scores[::-1], kind="stable")
    order: NDArray[np.int64] = (len(scores) - 1 - reverse)[::-1]
    return order


def _round_down(threshold: float, dtype: np.dtype[Any]) -> float:
    """Return the largest value of `dtype` that is not above the threshold; no IoU of `dtype` lies between."""
    near = dtype.type(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, dtype.type(-np.inf)))


def _check(boxes: Tensor, scores: Tensor, idxs: Tensor) -> None:
    count = len(scores)
    if boxes.shape != (count, 4) or scores.shape != (count,) or idxs.shape != (count,):
        found = (tuple(boxes.shape), tuple(scores.shape), tuple(idxs.shape))
        raise ValueError(f"nms: expected shapes (N, 4), (N,), (N,), found {found}")
    if boxes.dtype not in (torch.float32, torch.float64) or scores.dtype != boxes.dtype:
        raise ValueError(f"nms: expected both float32 or both float64, found {boxes.dtype}, {scores.dtype}")
