"""The numbers of Selective Search: the paper's, and those that we search with unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ColorSpace = Literal["hsv", "lab", "rgi", "h", "i"]
Mode = Literal["single", "fast", "quality"]


@dataclass(frozen=True)
class SelectiveSearchConfig:
    """Every number of the method; section and table of the paper beside it.

    The last five depart from the paper unless they are as in `PAPER_MODES`; why, is said at `MODES`.

    similarities: sets of C (color), T (texture), S (size) and F (fill)
    min_random_factor:   of the random number in min_random_factor..1 by which a place in the hierarchy is multiplied
    duplicate_iou:      a box whose IoU with an earlier one is above this is dropped; 1: only equal ones
    max_boxes:        how many boxes are kept, the first in order; None: all
    """

    color_spaces: tuple[ColorSpace, ...] = ("hsv", "lab")
    similarities: tuple[str, ...] = ("CTSF", "TSF", "F")
    scales: tuple[int, ...] = (50, 300)  # k; regions below k pixels are joined too
    sigma: float = 0.8  # section 5.1
    color_bins: int = 25  # section 3.2
    texture_bins: int = 10  # section 3.2, of each of 8 directions
    texture_sigma: float = 1.0  # section 3.2
    width: int = 500  # photos are searched at this width, as in R-CNN, section 2.2
    max_height: int = 1500  # or smaller, where they would be higher than this
    min_height: int = 150  # or larger (not than they are), where they would be lower than this
    max_width: int = 3000  # and not wider than this
    min_box_size: int = 8  # pixels at that width
    min_random_factor: float = 0.5
    duplicate_iou: float = 0.85
    max_boxes: int | None = None
    seed: int = 0

    @property
    def strategies(self) -> int:
        """How many groupings are made."""
        return len(self.color_spaces) * len(self.similarities) * len(self.scales)


_AS_PUBLISHED = SelectiveSearchConfig(
    similarities=("CTSF", "TSF"),  # table 6
    scales=(50, 100),
    min_box_size=20,  # the authors' code
    min_random_factor=0.0,  # section 3.4
    duplicate_iou=1.0,  # section 3.4: duplicates are removed
)

_TODAY = SelectiveSearchConfig()

PAPER_MODES: dict[Mode, SelectiveSearchConfig] = {  # table 6
    "single": replace(_AS_PUBLISHED, color_spaces=("hsv",), similarities=("CTSF",), scales=(100,)),
    "fast": _AS_PUBLISHED,
    "quality": replace(
        _AS_PUBLISHED,
        color_spaces=("hsv", "lab", "rgi", "h", "i"),
        similarities=("CTSF", "TSF", "F", "S"),
        scales=(50, 100, 150, 300),
    ),
}

MODES: dict[Mode, SelectiveSearchConfig] = {
    "single": replace(_TODAY, color_spaces=("hsv",), similarities=("CTSF",), scales=(50,)),
    "fast": replace(_TODAY, max_boxes=1700),
    "quality": replace(
        _TODAY,
        color_spaces=("hsv", "lab", "rgi", "h", "i"),
        similarities=("CTSF", "TSF", "F", "S"),
        scales=(50, 100, 150, 300),
        min_random_factor=0.0,
        max_boxes=10_000,
    ),
}
"""The modes for today's photos, which hold more and smaller objects than VOC's. They differ so:

- min_box_size 8, not 20: of 220 objects on COCO's photos 30 % are narrower than 20 pixels at this width, and
  could hardly be found; 8 % are narrower than 8, where boxes of whole pixels become coarse.
- min_random_factor 0.5, not 0: with draws in 0..1 a leaf of the hierarchy often comes before its top. Since near
  duplicates are dropped, chance has less to spread, and the place may count for more. Not so in `quality`,
  where the tops of 80 hierarchies would come before anything else.
- duplicate_iou 0.85: most of what two strategies find is the same but for a pixel or two, and each such box costs
  a detector as much as a new one.
- fast: scales 50 and 300, the ends of the paper's range, find less that is the same than 50 and 100 do; and
  F beside CTSF and TSF, because it looks at neither color nor texture. That makes 12 strategies of 8.
- single: scale 50, so that small objects have a region of their own at all.
- max_boxes: as many windows as a detector is given; where `quality` ends, the paper's had 10,097 (table 6).
"""
