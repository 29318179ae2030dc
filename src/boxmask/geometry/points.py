"""Points: the locations from which an anchor-free head predicts the distances to a box's four edges.

FCOS (arXiv:1904.01355), sections 3.1 to 3.3.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.geometry.chunks import rows_per_chunk
from boxmask.geometry.matching import BACKGROUND, IGNORE

POINTS_PER_CHUNK = 4096  # on a CPU; with 300 boxes, each (N, G, 2) tensor takes 10 MB


class Points(NamedTuple):
    """N points of one or more pyramid levels.

    points:  (N, 2) x, y in pixels
    strides: (N,) the unit of the predicted distances, in pixels
    ranges:  (N, 2) the smallest and the largest distance at which a box's farthest edge may lie
    """

    points: Float[Tensor, "N 2"]
    strides: Float[Tensor, " N"]
    ranges: Float[Tensor, "N 2"]


def pyramid_points(
    grids: list[tuple[int, int]],
    size: tuple[int, int],
    levels: list[tuple[int, tuple[float, float]]],
    offset: float,
    device: torch.device,
) -> list[Points]:
    """Return the points of every level, row by row.

    grids:  (H, W) of each level; size: (height, width) of the padded images
    levels: stride of each level, and the range of its distances
    offset: of a point in its cell, in strides
    """
    cells = [(size[1] // width, size[0] // height) for height, width in grids]
    shapes = [torch.tensor([[float(offset * x), offset * y] * 2], device=device) for x, y in cells]
    points = []
    for xyxy, (stride, span) in zip(box.pyramid_anchors(shapes, grids, size), levels, strict=True):
        strides, ranges = xyxy.new_full((len(xyxy),), stride), xyxy.new_tensor(span).expand(len(xyxy), 2)
        points.append(Points(xyxy[:, :2], strides, ranges))
    return points


def match_each(
    points: Points, boxes: Sequence[Float[Tensor, "G 4"]], ignored: Sequence[Tensor | None], radius: float
) -> list[Int[Tensor, " N"]]:
    """`match_points` of each photo of a batch: (N,), B x (G, 4), B x (G,) -> B x (N,).

    A GPU matches all photos at once, unless boxes are ignored.
    """
    if points.points.device.type == "cpu" or any(flags is not None for flags in ignored):
        photos = zip(boxes, ignored, strict=True)
        return [match_points(points, in_photo, flags, radius) for in_photo, flags in photos]
    return list(match_points(points, box.pad(boxes), None, radius))


def match_points(
    points: Points, boxes: Float[Tensor, "*B G 4"], ignored: Bool[Tensor, "*B G"] | None, radius: float
) -> Int[Tensor, "*B N"]:
    """Match each point to the smallest box around it: (N,), (G, 4), (G,) -> (N,), a row of `boxes`.

    Boxes count only if their farthest edge lies within the point's range. A point without a match is IGNORE
    inside an ignored box, and BACKGROUND elsewhere. The (N, G) matrices are computed in chunks of rows. Any
    dimensions before are those of a batch.

    ignored: None if no box is ignored
    radius:  the largest distance from a box's center at which a point is matched to it, in strides; 0: none
    """
    rows = rows_per_chunk(points.points, POINTS_PER_CHUNK, 2 * boxes[..., 0].numel())
    chunks = zip(*(field.split(rows) for field in points), strict=True)
    return torch.cat([_match_chunk(Points(*chunk), boxes, ignored, radius) for chunk in chunks], dim=-1)


def _match_chunk(points: Points, boxes: Tensor, ignored: Tensor | None, radius: float) -> Tensor:
    xy, corners = points.points[:, None], boxes[..., None, :, :]
    to_low, to_high = xy - corners[..., :2], corners[..., 2:] - xy  # (N, G, 2) to left/top, right/bottom
    inside = torch.minimum(to_low, to_high).amin(-1) > 0
    farthest = torch.maximum(to_low, to_high).amax(-1)
    fits = inside if ignored is None else inside & ~ignored[..., None, :]
    fits = fits & (farthest >= points.ranges[:, :1]) & (farthest <= points.ranges[:, 1:])
    if radius:
        fits &= (to_low - to_high).abs().amax(-1) / 2 < radius * points.strides[:, None]
    matched = torch.full(fits.shape[:-1], BACKGROUND, device=xy.device)
    if boxes.shape[-2]:
        areas = torch.where(fits, box.areas(corners), math.inf)
        smallest, row = areas.min(-1)
        matched = torch.where(smallest < math.inf, row, matched)
    if ignored is not None:
        matched[(matched == BACKGROUND) & (inside & ignored[..., None, :]).any(-1)] = IGNORE
    return matched


def boxes_from_distances(
    points: Float[Tensor, "N 2"], distances: Float[Tensor, "N 4"]
) -> Float[Tensor, "N 4"]:
    """Return the boxes whose left, top, right and bottom edges are this far from the points (equation 1)."""
    return torch.cat([points - distances[:, :2], points + distances[:, 2:]], 1)


def centerness_targets(points: Float[Tensor, "N 2"], boxes: Float[Tensor, "N 4"]) -> Float[Tensor, " N"]:
    """Return the centerness of each point in its box (equation 3): 1 at the center, 0 at the edges."""
    to_low, to_high = points - boxes[:, :2], boxes[:, 2:] - points
    return (torch.minimum(to_low, to_high) / torch.maximum(to_low, to_high)).prod(1).sqrt()
