"""RoIAlign, NMS and pasting of masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torchvision
from torch import Tensor
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import MultiScaleRoIAlign

from boxmask.kernels import batched_nms, paste_masks, pyramid_roi_align
from gpu_sections.measure import Row, Settings, measure


def kernel_rows(settings: Settings) -> Iterator[Row]:
    """RoIAlign, NMS and pasting of masks."""
    device, count = settings.device, 2048 if settings.side > 200 else 64
    torch.manual_seed(0)
    height, width = settings.side, settings.side * 4 // 3
    maps = [
        torch.rand(2, 256, height // s, width // s, device=device, requires_grad=True) for s in (4, 8, 16, 32)
    ]
    corner = torch.rand(count, 2, device=device) * torch.tensor([width, height], device=device) * 0.7
    side = 8 + torch.rand(count, 2, device=device) * settings.side * 0.3
    boxes = torch.cat([corner, corner + side], 1)
    pooler = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    named = {str(level): x for level, x in enumerate(maps)}
    halves = [boxes[: count // 2], boxes[count // 2 :]]
    levels = pooler_levels(pooler, named, halves, (height, width))
    scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32]

    def align_reference() -> None:
        pooler(named, halves, [(height, width)] * 2).sum().backward()

    def align() -> None:
        pyramid_roi_align(maps, halves, levels, 7, scales, 2).sum().backward()

    yield Row("kernels", "RoIAlign, 4 levels", *measure((align_reference, align), settings))
    scores, classes = torch.rand(count, device=device), torch.randint(0, 80, (count,), device=device)
    works = (
        lambda: torchvision.ops.batched_nms(boxes, scores, classes, 0.5),
        lambda: batched_nms(boxes, scores, classes, 0.5),
    )
    yield Row("kernels", "NMS by class", *measure(works, settings))
    masks = torch.rand(100 if count > 100 else 10, 28, 28, device=device)
    near = boxes[: len(masks)]
    pastes = (
        lambda: paste_masks_in_image(masks[:, None], near, (height, width)),
        lambda: paste_masks(masks, near, (height, width)),
    )
    yield Row("kernels", f"paste {len(masks)} masks", *measure(pastes, settings))


def pooler_levels(
    pooler: MultiScaleRoIAlign, maps: dict[str, Tensor], boxes: list[Tensor], size: Any
) -> Tensor:
    """The levels that torchvision's pooler chooses."""
    pooler(maps, boxes, [size] * 2)
    levels: Tensor = pooler.map_levels(boxes)
    return levels
