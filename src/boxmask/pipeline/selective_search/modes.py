"""The settings of Selective Search: the paper's (PAPER_MODES) and our defaults (MODES)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ColorSpace = Literal["hsv", "lab", "rgi", "h", "i"]
Mode = Literal["single", "fast", "quality"]


@dataclass(frozen=True)
class SelectiveSearchConfig:
    """The settings of a search, with the section or table of the paper.

    `min_box_size` and the fields after it differ from the paper, except in `PAPER_MODES`; `MODES` says why.

    similarities:      sets of C (color), T (texture), S (size) and F (fill)
    scales:            k, the preference for large first regions; regions below k pixels are merged as well
    min_random_factor: a box's rank in its hierarchy is multiplied by a random number from this to 1
    duplicate_iou:     boxes whose IoU with an earlier one is above this are dropped; 1: only equal boxes
    max_boxes:         boxes to keep, the first in order; None: all
    """

    color_spaces: tuple[ColorSpace, ...] = ("hsv", "lab")
    similarities: tuple[str, ...] = ("CTSF", "TSF", "F")
    scales: tuple[int, ...] = (50, 300)
    sigma: float = 0.8  # section 5.1
    color_bins: int = 25  # section 3.2
    texture_bins: int = 10  # section 3.2, for each of 8 directions
    texture_sigma: float = 1.0  # section 3.2
    width: int = 500  # photos are resized to this width, as in R-CNN, section 2.2
    max_height: int = 1500  # a higher photo is resized to this height instead
    min_height: int = 150  # a photo that would be lower is reduced less, to this height
    max_width: int = 3000  # limit of the width then
    min_box_size: int = 8  # pixels of the resized photo
    min_random_factor: float = 0.5
    duplicate_iou: float = 0.85
    max_boxes: int | None = None
    seed: int = 0

    @property
    def strategies(self) -> int:
        """Number of hierarchies that are built."""
        return len(self.color_spaces) * len(self.similarities) * len(self.scales)


_PAPER = SelectiveSearchConfig(
    similarities=("CTSF", "TSF"),  # table 6
    scales=(50, 100),
    min_box_size=20,  # the authors' code
    min_random_factor=0.0,  # section 3.4
    duplicate_iou=1.0,  # section 3.4: duplicates are removed
)

_DEFAULT = SelectiveSearchConfig()

PAPER_MODES: dict[Mode, SelectiveSearchConfig] = {  # table 6
    "single": replace(_PAPER, color_spaces=("hsv",), similarities=("CTSF",), scales=(100,)),
    "fast": _PAPER,
    "quality": replace(
        _PAPER,
        color_spaces=("hsv", "lab", "rgi", "h", "i"),
        similarities=("CTSF", "TSF", "F", "S"),
        scales=(50, 100, 150, 300),
    ),
}

MODES: dict[Mode, SelectiveSearchConfig] = {
    "single": replace(_DEFAULT, color_spaces=("hsv",), similarities=("CTSF",), scales=(50,)),
    "fast": replace(_DEFAULT, max_boxes=1700),
    "quality": replace(
        _DEFAULT,
        color_spaces=("hsv", "lab", "rgi", "h", "i"),
        similarities=("CTSF", "TSF", "F", "S"),
        scales=(50, 100, 150, 300),
        min_random_factor=0.0,
        max_boxes=10_000,
    ),
}
"""The modes for today's photos, which hold more and smaller objects than VOC's. They differ from the paper:

- min_box_size 8, not 20: of 220 objects on COCO's photos, 30 % are narrower than 20 pixels at this width and
  could hardly be found; 8 % are narrower than 8, where boxes of whole pixels become coarse.
- min_random_factor 0.5, not 0: with factors in 0..1, a leaf of the hierarchy often comes before its top.
  Without near duplicates, less randomness is needed, and the rank can count for more. `quality` keeps 0,
  because the tops of 80 hierarchies would come before anything else.
- duplicate_iou 0.85: most of what two strategies find differs by a pixel or two, and each such box costs a
  detector as much as a new one.
- fast: scales 50 and 300, the ends of the paper's range, have less in common than 50 and 100; and F beside
  CTSF and TSF, because it uses neither color nor texture. That makes 12 strategies instead of 8.
- single: scale 50, so that small objects have a region of their own.
- max_boxes: as many regions as a detector is given; for `quality` about the 10,097 of the paper (table 6).
"""
