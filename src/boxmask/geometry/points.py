"""Points: the locations from which an anchor-free head predicts the distances to a box's four edges.

FCOS (arXiv:1904.01355), sections 3.1 to 3.3.
"""

import math
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


def match_points(
    points: Points, boxes: Float[Tensor, "G 4"], ignored: Bool[Tensor, " G"], radius: float
) -> Int[Tensor, " N"]:
    """Match each point to the smallest box around it: (N,), (G, 4), (G,) -> (N,), a row of `boxes`.

    Boxes count only if their farthest edge lies within the point's range. A point without a match is IGNORE
    inside an ignored box, and BACKGROUND elsewhere. The (N, G) matrices are computed in chunks of rows.

    radius: the largest distance from a box's center at which a point is matched to it, in strides; 0: none
    """
    rows = rows_per_chunk(points.points, POINTS_PER_CHUNK, 2 * len(boxes))
    chunks = zip(*(field.split(rows) for field in points), strict=True)
    return torch.cat([_match_chunk(Points(*chunk), boxes, ignored, radius) for chunk in chunks])


def _match_chunk(points: Points, boxes: Tensor, ignored: Tensor, radius: float) -> Int[Tensor, " N"]:
    xy = points.points[:, None]
    to_low, to_high = xy - boxes[:, :2], boxes[:, 2:] - xy  # (N, G, 2) distances to left/top, right/bottom
    inside = torch.minimum(to_low, to_high).amin(2) > 0
    farthest = torch.maximum(to_low, to_high).amax(2)
    fits = inside & ~ignored
    fits &= (farthest >= points.ranges[:, :1]) & (farthest <= points.ranges[:, 1:])
    if radius:
        fits &= (to_low - to_high).abs().amax(2) / 2 < radius * points.strides[:, None]
    matched = torch.full((len(xy),), BACKGROUND, device=xy.device)
    if len(boxes):
        areas = torch.where(fits, box.areas(boxes), math.inf)
        smallest, row = areas.min(1)
        matched = torch.where(smallest < math.inf, row, matched)
    matched[(matched == BACKGROUND) & (inside & ignored).any(1)] = IGNORE
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
