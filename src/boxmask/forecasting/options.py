"""What a forecast is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from boxmask.errors import UsageError
from boxmask.options import check_choices, option
from boxmask.runs.recipe import Recipe

DEFAULT_MORE = (25, 50, 100)
DEFAULT_DRAWS = 3
DEFAULT_LABEL_NEXT = 25


@dataclass(frozen=True)
class ForecastOptions:
    """What a forecast is asked for; see `boxmask forecast --help`.

    recipe:     how each model is trained
    more:       numbers of further training photos to forecast
    draws:      number of trainings on each small part of the labels
    split:      the photos that every model is evaluated on
    pool:       a folder of unlabeled photos, some of which to label next
    label_next: how many of them

    Raises UsageError for a value out of range.
    """

    recipe: Recipe
    more: tuple[int, ...] = DEFAULT_MORE
    draws: int = DEFAULT_DRAWS
    split: Literal["val", "test"] = "test"
    pool: Path | None = None
    label_next: int = DEFAULT_LABEL_NEXT

    def __post_init__(self) -> None:
        check_choices(ForecastOptions, vars(self))
        for name, values in (
            ("more", self.more),
            ("draws", (self.draws,)),
            ("label_next", (self.label_next,)),
        ):
            if not values or min(values) < 1:
                raise UsageError(
                    f"{option(name)}: expected 1 or more, found {min(values, default='nothing')}"
                )
