"""The options that let models predict several views of each photo. This file imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from cyclopts import Parameter

from boxmask.errors import UsageError
from boxmask.options import check_names, option

MIN_TILE, MAX_OVERLAP = 32, 0.9
MIN_SCALE, MAX_SCALE = 0.1, 10


@dataclass(frozen=True)
class ViewOptions:
    """How many views of each photo a model predicts; their results become one.

    `PredictOptions` inherits the fields, and the command line evaluates their annotations among the names of
    that module: they use none that are defined here.

    Raises UsageError for a value out of range, and for one that has no effect without another option.
    """

    tiles: Annotated[int | Literal["auto"] | None, Parameter(group="Accuracy, at the cost of time")] = None
    """Detectors and segmenters. Side of the overlapping tiles that a photo is cut into, in pixels, for small
    objects in large photos. Detectors also predict the whole photo. "auto" uses the size of the training
    photos."""
    tile_overlap: Annotated[float, Parameter(group="Accuracy, at the cost of time")] = 0.25
    """Fraction of a tile's side that overlaps the next tile. An object smaller than the overlap is complete
    in at least one tile."""
    tta: Annotated[
        bool, Parameter(group="Accuracy, at the cost of time", negative="", show_default=False)
    ] = False
    """Test-time augmentation: predict each photo as it is and mirrored, at the sizes of --tta-scales."""
    tta_scales: Annotated[
        tuple[float, ...], Parameter(group="Accuracy, at the cost of time", consume_multiple=1)
    ] = (0.8, 1.0, 1.25)
    """Sizes of the photo in the network, as factors of the size in training. Three sizes take six times as
    long; --tta-scales 1 takes twice as long."""
    with_runs: Annotated[
        tuple[Path, ...],
        Parameter(
            name="--with", group="Accuracy, at the cost of time", consume_multiple=1, show_default=False
        ),
    ] = ()
    """More runs, which form an ensemble with RUN. Classes are matched by name."""

    def __post_init__(self) -> None:
        """Check the ranges, and that each option that was given has an effect."""
        if self.tiles is not None and self.tiles != "auto":
            check_tiles(self.tiles)
        check_tiles(MIN_TILE, self.tile_overlap)
        check_scales(self.tta_scales)
        if self.tiles is None and self.tile_overlap != ViewOptions.tile_overlap:
            raise UsageError(f"{option('tile_overlap')} has no effect without {option('tiles')}. Add it.")
        if not self.tta and self.tta_scales != ViewOptions.tta_scales:
            raise UsageError(f"{option('tta_scales')} has no effect without {option('tta')}. Add it.")

    def runs(self, run: Path) -> list[Path]:
        """A run, and those that form an ensemble with it."""
        return [run, *self.with_runs]

    @property
    def scales(self) -> tuple[float, ...] | None:
        """The sizes of test-time augmentation; None without it."""
        return self.tta_scales if self.tta else None


class ViewKeywords(TypedDict, total=False):
    """The fields of `ViewOptions`, which describes them."""

    tiles: int | Literal["auto"] | None
    tile_overlap: float
    tta: bool
    tta_scales: Sequence[float]


def views_from_keywords(runs: Sequence[Path], keywords: Mapping[str, Any]) -> ViewOptions:
    """The options that Python users give.

    runs: the run, and those that form an ensemble with it

    Raises TypeError for a keyword that is not an option, and UsageError as `ViewOptions` does.
    """
    check_names("load", keywords, ViewOptions)
    return ViewOptions(**plain_values(keywords), with_runs=tuple(runs[1:]))


def plain_values(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords with a tuple of scales."""
    values = dict(keywords)
    if "tta_scales" in values:
        values["tta_scales"] = tuple(values["tta_scales"])
    return values


def check_tiles(tile: int, overlap: float = 0.0) -> None:
    """Raise UsageError for a side or an overlap of tiles that is out of range or of another type."""
    if not isinstance(tile, int) or tile < MIN_TILE:
        expected = f'"auto" or a side of at least {MIN_TILE} pixels'
        raise UsageError(f"{option('tiles')}: expected {expected}, found {tile!r}")
    if not 0 <= overlap <= MAX_OVERLAP:  # NaN is not
        expected = f"a fraction of the tile, 0 to {MAX_OVERLAP}"
        raise UsageError(f"{option('tile_overlap')}: expected {expected}, found {overlap:g}")


def check_scales(scales: Sequence[float]) -> None:
    """Raise UsageError unless there is a scale, and all are in range."""
    expected = f"factors from {MIN_SCALE} to {MAX_SCALE}"
    if not scales:
        raise UsageError(f"{option('tta_scales')}: expected {expected}, found none")
    for scale in scales:
        if not MIN_SCALE <= scale <= MAX_SCALE:
            raise UsageError(f"{option('tta_scales')}: expected {expected}, found {scale:g}")
