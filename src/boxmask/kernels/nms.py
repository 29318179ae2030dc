"""Non-maximum suppression: of boxes that overlap much, only the best is kept.

Greedy, by falling score, ties in the order given; a box goes when its IoU with a kept one is above the
threshold. On a CPU it runs the loop of `suppression_loops`; elsewhere it calls torchvision's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor

from boxmask.kernels.nms_loops import survivors


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The rows to keep, by falling score, like `torchvision.ops.nms`.

    (N, 4), (N,), IoU in 0..1 -> (K,) int64. A box with NaN in it neither suppresses nor is suppressed.
    Raises ValueError for shapes or types that do not fit.
    """
    if boxes.device.type != "cpu":
        kept: Tensor = torchvision.ops.nms(boxes, scores, iou_threshold)
    else:
        kept = _nms(boxes, scores, torch.zeros_like(scores, dtype=torch.int64), iou_threshold)
    return kept


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """The rows to keep, by falling score, where only boxes with the same number in `idxs` compete.

    (N, 4), (N,), (N,) integers, IoU in 0..1 -> (K,) int64. Equal to calling `nms` for each number on its own
    (torchvision instead moves the classes of up to 1,000 boxes apart, which costs the last digits of IoU).
    Raises ValueError for shapes or types that do not fit.
    """
    if boxes.device.type != "cpu":
        kept: Tensor = torchvision.ops.batched_nms(boxes, scores, idxs, iou_threshold)
    else:
        kept = _nms(boxes, scores, idxs, iou_threshold)
    return kept


@torch.library.custom_op("boxmask::nms", mutates_args=(), device_types="cpu")
def _nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    _check(boxes, scores, idxs)
    # numpy: PyTorch would wake its threads for next to nothing, and wait for them where a core is busy
    by_score = _falling(scores.detach().numpy())
    by_group = np.argsort(idxs.detach().numpy()[by_score], kind="stable")
    order = by_score[by_group]
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.detach().numpy()[order].T)
    groups = np.unique(idxs.detach().numpy()[order], return_inverse=True)[1]
    kept = np.empty(len(order), dtype=np.bool_)
    kept[by_group] = survivors(x1, y1, x2, y2, groups, _down(iou_threshold, x1.dtype))
    return torch.from_numpy(by_score[kept])


@_nms.register_fake
def _(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


_nms.register_autocast("cpu", torch.float32)


def _falling(scores: NDArray[Any]) -> NDArray[np.int64]:
    """The order from the highest down, equals as they come, NaN first: as `torch.sort` has it."""
    backwards = np.argsort(scores[::-1], kind="stable")
    order: NDArray[np.int64] = (len(scores) - 1 - backwards)[::-1]
    return order


def _down(threshold: float, dtype: np.dtype[Any]) -> float:
    """The largest number of `dtype` that is not above the threshold: IoU above either is the same."""
    near = dtype.type(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, dtype.type(-np.inf)))


def _check(boxes: Tensor, scores: Tensor, idxs: Tensor) -> None:
    count = len(scores)
    if boxes.shape != (count, 4) or scores.shape != (count,) or idxs.shape != (count,):
        found = (tuple(boxes.shape), tuple(scores.shape), tuple(idxs.shape))
        raise ValueError(f"nms: expected shapes (N, 4), (N,), (N,), found {found}")
    if boxes.dtype not in (torch.float32, torch.float64) or scores.dtype != boxes.dtype:
        raise ValueError(f"nms: expected both float32 or both float64, found {boxes.dtype}, {scores.dtype}")
