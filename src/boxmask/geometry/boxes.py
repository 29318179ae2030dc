"""Boxes and deltas between boxes: xyxy, absolute pixels, float32, continuous edges; `(N, 4)` by default."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor

from boxmask.errors import UsageError

Boxes = Float[Tensor, "N 4"]
DeltaWeights = tuple[float, float, float, float]
NO_WEIGHTS: DeltaWeights = (1.0, 1.0, 1.0, 1.0)

OUTSIDE = (-2.0, -2.0, -1.0, -1.0)  # a box that overlaps nothing in a photo
GIOU_EPSILON = 1e-7  # square pixels; torchvision's
MAX_LOG_SCALE = math.log(1000 / 16)  # a delta scales a side by at most 62.5 (Detectron)


def constant(values: Sequence[Any], like: Tensor) -> Tensor:
    """A tensor of `values` with the type and device of `like`; unlike `new_tensor`, it waits for no GPU."""
    return torch.tensor(values, dtype=like.dtype).to(like.device, non_blocking=True)


def pad(per_photo: Sequence[Float[Tensor, "N 4"]]) -> Float[Tensor, "B N 4"]:
    """Return the boxes of all photos as one tensor, filled up with a box outside of all photos."""
    lengths = torch.tensor([len(boxes) for boxes in per_photo])[:, None]
    rows = torch.arange(int(lengths.max()))
    starts = lengths.cumsum(0) - lengths
    places = torch.where(rows < lengths, starts + rows, lengths.sum())
    boxes = torch.cat([*per_photo, constant([OUTSIDE], per_photo[0])])
    return boxes[places.to(boxes.device, non_blocking=True)]


def areas(boxes: Float[Tensor, "*B 4"]) -> Float[Tensor, "*B"]:
    """Return width times height: (N, 4) -> (N,) in square pixels."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def intersections(a: Float[Tensor, "*B A 4"], b: Float[Tensor, "*B C 4"]) -> Float[Tensor, "*B A C"]:
    """Return the pairwise intersection areas: (A, 4), (C, 4) -> (A, C) in square pixels.

    Any dimensions before are those of a batch.
    """
    left, top, right, bottom = (edges[..., None, :] for edges in b.unbind(-1))
    width = torch.minimum(a[..., 2:3], right) - torch.maximum(a[..., 0:1], left)
    height = torch.minimum(a[..., 3:4], bottom) - torch.maximum(a[..., 1:2], top)
    return width.clamp_(min=0) * height.clamp_(min=0)


def iou(a: Float[Tensor, "*B A 4"], b: Float[Tensor, "*B C 4"]) -> Float[Tensor, "*B A C"]:
    """Return the pairwise intersection over union: (A, 4), (C, 4) -> (A, C) in 0..1.

    Any dimensions before are those of a batch.
    """
    shared = intersections(a, b)
    return shared / (areas(a)[..., None] + areas(b)[..., None, :] - shared)


def generalized_iou(a: Float[Tensor, "N 4"], b: Float[Tensor, "N 4"]) -> Float[Tensor, " N"]:
    """Return the generalized IoU of each pair (Rezatofighi et al. 2019, arXiv:1902.09630): -1 to 1.

    It has a gradient also where boxes do not overlap. Equal to 1 - `torchvision.ops.generalized_box_iou_loss`
    bit for bit, without the masks for which a GPU is waited for.
    """
    (x1, y1, x2, y2), (left, top, right, bottom) = a.unbind(1), b.unbind(1)
    width = torch.minimum(x2, right) - torch.maximum(x1, left)
    height = torch.minimum(y2, bottom) - torch.maximum(y1, top)
    shared = torch.where((width > 0) & (height > 0), width * height, 0.0)
    union = (x2 - x1) * (y2 - y1) + (right - left) * (bottom - top) - shared
    width = torch.maximum(x2, right) - torch.minimum(x1, left)
    height = torch.maximum(y2, bottom) - torch.minimum(y1, top)
    around = width * height
    return shared / (union + GIOU_EPSILON) - (around - union) / (around + GIOU_EPSILON)


def coverage(regions: Float[Tensor, "A 4"], boxes: Float[Tensor, "B 4"]) -> Float[Tensor, "A B"]:
    """Return the fraction of each box that each region covers: (A, 4), (B, 4) -> (A, B) in 0..1.

    It is 0 for a box without area.
    """
    return intersections(regions, boxes) / areas(boxes).clamp(min=torch.finfo(boxes.dtype).tiny)


def clip(boxes: Float[Tensor, "*B N 4"], *sizes: tuple[int, int]) -> Float[Tensor, "*B N 4"]:
    """Clip boxes (N, 4) to a photo of one size (height, width), or (B, N, 4) to photos of B sizes."""
    limits = constant([[width, height, width, height] for height, width in sizes], boxes)
    return torch.minimum(boxes.clamp(min=0), limits if boxes.ndim == 2 else limits[:, None])


def large_enough(boxes: Float[Tensor, "*B 4"], min_side: float) -> Bool[Tensor, "*B"]:
    """Return True for boxes whose sides are both at least `min_side` pixels: (N, 4) -> (N,)."""
    return (boxes[..., 2:] - boxes[..., :2]).amin(dim=-1) >= min_side


def rescale(boxes: Boxes, source: tuple[int, int], destination: tuple[int, int]) -> Boxes:
    """Scale boxes along with their photo, from size `source` (height, width) to size `destination`."""
    y, x = destination[0] / source[0], destination[1] / source[1]
    return boxes * constant([x, y, x, y], boxes)


# ---------------------------------------------------------------- deltas (R-CNN, arXiv:1311.2524, appendix C)
# (dx, dy, dw, dh): how a box regressor moves an anchor or proposal onto an object.


def encode(
    anchors: Float[Tensor, "N 4"], boxes: Float[Tensor, "N 4"], weights: DeltaWeights = NO_WEIGHTS
) -> Float[Tensor, "N 4"]:
    """Return the deltas that move `anchors` onto `boxes`, times `weights` (equations 6 to 9).

    The weights are usually one over the standard deviation of each delta.
    """
    anchor_size, size = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    anchor_center, center = anchors[:, :2] + anchor_size / 2, boxes[:, :2] + size / 2
    shift, scale = (center - anchor_center) / anchor_size, torch.log(size / anchor_size)
    deltas = torch.cat([shift, scale], dim=1)
    return deltas if weights == NO_WEIGHTS else deltas * constant(weights, anchors)


def decode(
    anchors: Float[Tensor, "N 4"], deltas: Float[Tensor, "N 4"], weights: DeltaWeights = NO_WEIGHTS
) -> Float[Tensor, "N 4"]:
    """Return `anchors` moved by `deltas` (equations 1 to 4); the inverse of `encode`."""
    if weights != NO_WEIGHTS:
        deltas = deltas / constant(weights, anchors)
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    center = anchors[:, :2] + anchor_size / 2 + deltas[:, :2] * anchor_size
    size = anchor_size * torch.exp(deltas[:, 2:].clamp(max=MAX_LOG_SCALE))
    return torch.cat([center - size / 2, center + size / 2], dim=1)


# ---------------------------------------------------------------------- anchors (Faster R-CNN, section 3.1.1)


def anchor_shapes(sizes: tuple[float, ...], aspect_ratios: tuple[float, ...]) -> Float[Tensor, "A 4"]:
    """Return one box per size and aspect ratio (h / w), centered on the origin, with area size² pixels.

    The coordinates are rounded to whole pixels, as in torchvision.
    """
    ratios = torch.tensor(aspect_ratios).sqrt()[:, None]
    scales = torch.tensor([float(size) for size in sizes])
    heights, widths = (ratios * scales).flatten(), (scales / ratios).flatten()
    return (torch.stack([-widths, -heights, widths, heights], dim=1) / 2).round()


def anchors_per_cell(sizes: tuple[tuple[float, ...], ...], aspect_ratios: tuple[float, ...]) -> int:
    """Return the number of anchors per cell, which is the same on every level.

    sizes: one row per level
    Raises UsageError if there are no anchors, or rows differ in length.
    """
    lengths = {len(row) for row in sizes}
    if len(lengths) != 1 or 0 in lengths:
        raise UsageError(
            f"anchor_sizes: expected one row per level, each with the same number of sizes, found {sizes}"
        )
    if not aspect_ratios:
        raise UsageError("aspect_ratios: expected at least one, found ()")
    return lengths.pop() * len(aspect_ratios)


def pyramid_anchors(
    shapes: list[Float[Tensor, "A 4"]], grids: list[tuple[int, int]], size: tuple[int, int]
) -> list[Float[Tensor, "N 4"]]:
    """Return the anchors of every level: L tensors (H * W * A, 4) in pixels.

    Each level has its shapes at every cell of its (H, W) grid, row by row, around the cell's upper left
    corner.

    shapes, grids: one per level; size: (height, width) of the padded images
    """
    anchors = []
    for shape, (rows, columns) in zip(shapes, grids, strict=True):
        ys = torch.arange(rows, device=shape.device) * (size[0] // rows)
        xs = torch.arange(columns, device=shape.device) * (size[1] // columns)
        anchors.append(_place(shape, ys, xs))
    return anchors


class PyramidAnchors:
    """`pyramid_anchors` of fixed shapes; those of the last size are kept, for the next stage and step."""

    def __init__(self, shapes: list[Float[Tensor, "A 4"]]) -> None:
        self.shapes = shapes
        self.last: tuple[object, list[Tensor]] | None = None

    def __call__(self, features: list[Tensor], pixels: Tensor) -> list[Float[Tensor, "N 4"]]:
        """The anchors of maps (B, C, H, W) of a batch of pixels (B, 3, H, W)."""
        grids = [(x.shape[-2], x.shape[-1]) for x in features]
        size = (pixels.shape[-2], pixels.shape[-1])
        key = (grids, size, pixels.device, torch.is_inference_mode_enabled())  # as in `Kept`
        if self.last is None or self.last[0] != key:
            shapes = [shape.to(pixels.device) for shape in self.shapes]
            self.last = (key, pyramid_anchors(shapes, grids, size))
        return self.last[1]


# ---------------------------------------------------------------------- default boxes (SSD, section 2.2)


def default_box_shapes(scale: float, next_scale: float, ratios: tuple[int, ...]) -> Float[Tensor, "A 4"]:
    """Return the default boxes of one cell, centered on the origin.

    Sides are fractions of the image's side, at most 1.
    """
    middle = math.sqrt(scale * next_scale)
    sizes = [(scale, scale), (middle, middle)]
    for ratio in ratios:
        long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
        sizes += [(long, short), (short, long)]
    half = torch.tensor(sizes).clamp(max=1) / 2
    return torch.cat([-half, half], dim=1)


def tile_default_boxes(
    shapes: Float[Tensor, "A 4"], grid: tuple[int, int], cells: tuple[float, float]
) -> Float[Tensor, "N 4"]:
    """Center `shapes` on every cell of a (H, W) `grid`, row by row: (A, 4) -> (H * W * A, 4).

    cells: number of cells that fill the image, vertically and horizontally: the grid's own size, or the
           image's side divided by the step between cells
    """
    device = shapes.device
    ys, xs = ((torch.arange(n, device=device) + 0.5) / count for n, count in zip(grid, cells, strict=True))
    return _place(shapes, ys, xs)


def _place(
    shapes: Float[Tensor, "A 4"], ys: Num[Tensor, " H"], xs: Num[Tensor, " W"]
) -> Float[Tensor, "N 4"]:
    """Shift `shapes` to every (y, x), row by row: (A, 4) -> (H * W * A, 4)."""
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (shifts + shapes).reshape(-1, 4)
