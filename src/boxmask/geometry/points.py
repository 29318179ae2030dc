"""Points: what a dense head without anchors counts from, the distances to a box's edges, and which box.

FCOS (arXiv:1904.01355), sections 3.1 to 3.3.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from boxmask.geometry import boxes as box
from boxmask.geometry.matching import BACKGROUND, IGNORE

POINTS_AT_ONCE = 4096  # matched; with 300 boxes that is 10 MB a matrix of two numbers


class Points(NamedTuple):
    """Where outputs lie, in pixels, and which boxes they may answer for.

    points: (N, 2) x, y; strides: (N,) the unit of their distances
    ranges: (N, 2) how far the farthest edge of these is, at least and at most
    """

    points: Float[Tensor, "N 2"]
    strides: Float[Tensor, " N"]
    ranges: Float[Tensor, "N 2"]


def match_points(
    places: Points, boxes: Float[Tensor, "G 4"], ignored: Bool[Tensor, " G"], radius: float
) -> Int[Tensor, " N"]:
    """The smallest box in which a place lies, of those that it may answer for; or BACKGROUND or IGNORE.

    A place in an ignored box that answers for nothing is not background either. No more than POINTS_AT_ONCE
    rows of the (N, G) matrices are held at a time.

    radius: in strides; farther than this from a box's center a place does not answer for it; 0: no limit
    """
    parts = zip(*(part.split(POINTS_AT_ONCE) for part in places), strict=True)
    return torch.cat([_match(Points(*part), boxes, ignored, radius) for part in parts])


def _match(places: Points, boxes: Tensor, ignored: Tensor, radius: float) -> Int[Tensor, " N"]:
    points = places.points[:, None]
    before, behind = points - boxes[:, :2], boxes[:, 2:] - points  # (N, G, 2)
    inside = torch.minimum(before, behind).amin(2) > 0
    farthest = torch.maximum(before, behind).amax(2)
    fits = inside & ~ignored
    fits &= (farthest >= places.ranges[:, :1]) & (farthest <= places.ranges[:, 1:])
    if radius:
        fits &= (before - behind).abs().amax(2) / 2 < radius * places.strides[:, None]
    matched = torch.full((len(points),), BACKGROUND, device=points.device)
    if len(boxes):
        areas = torch.where(fits, box.areas(boxes), math.inf)
        smallest, row = areas.min(1)
        matched = torch.where(smallest < math.inf, row, matched)
    matched[(matched == BACKGROUND) & (inside & ignored).any(1)] = IGNORE
    return matched


def boxes_around(points: Float[Tensor, "N 2"], distances: Float[Tensor, "N 4"]) -> Float[Tensor, "N 4"]:
    """Boxes whose left, top, right and bottom edges are so many pixels from the points (equation 1)."""
    return torch.cat([points - distances[:, :2], points + distances[:, 2:]], 1)


def centerness_of(points: Float[Tensor, "N 2"], boxes: Float[Tensor, "N 4"]) -> Float[Tensor, " N"]:
    """Equation 3: 1 in the middle of the box, 0 at its edges."""
    before, behind = points - boxes[:, :2], boxes[:, 2:] - points
    return (torch.minimum(before, behind) / torch.maximum(before, behind)).prod(1).sqrt()
