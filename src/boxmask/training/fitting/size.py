"""The photo size: large enough for the objects, small enough for the passes that the time allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boxmask.messages import format_count
from boxmask.training.fitting.limits import FEW_PASSES, MAX_ENLARGEMENT, MAX_SMALL_SHARE, MIN_PASSES, SIZES
from boxmask.training.fitting.objects import describe_share


@dataclass(frozen=True)
class SizeChoice:
    """A photo size that could be chosen, in pixels of the shorter side.

    small_share: share of the training objects that would be small, averaged over classes
    passes:      passes over the training photos that the time allows; None if time does not decide
    """

    size: int
    small_share: float
    passes: float | None = None


def candidate_sizes(preset: int, middle_shorter_side: float) -> list[int]:
    """The sizes to choose from, ascending: the preset's, smaller ones, and larger ones up to the photos'."""
    limit = max(preset, MAX_ENLARGEMENT * middle_shorter_side)
    return sorted({preset, *(size for size in SIZES if size <= limit)})


def choose_size(choices: Mapping[int, SizeChoice], preset: int) -> int:
    """Choose a size, from the preset's upward while objects are small, or downward while passes are few.

    Upward, as long as more than MAX_SMALL_SHARE of the objects are small, and the next size leaves at least
    MIN_PASSES passes. Downward, as long as there are fewer than FEW_PASSES passes, and the next size leaves
    at most MAX_SMALL_SHARE of the objects small.

    choices: by size; the preset's is one of them
    """
    size = preset
    for larger in sorted(other for other in choices if other > preset):
        if choices[size].small_share <= MAX_SMALL_SHARE or not _has_passes(choices[larger], MIN_PASSES):
            break
        size = larger
    if size > preset:
        return size
    for smaller in sorted((other for other in choices if other < preset), reverse=True):
        if _has_passes(choices[size], FEW_PASSES) or choices[smaller].small_share > MAX_SMALL_SHARE:
            break
        size = smaller
    return size


def _has_passes(choice: SizeChoice, minimum: float) -> bool:
    return choice.passes is None or choice.passes >= minimum


# ---------------------------------------------------------------- in words


@dataclass(frozen=True)
class Wording:
    """What the sentence on the chosen size tells besides the choices.

    photos:      number of training photos
    minutes:     training time; None if epochs are given
    small:       the side in pixels under which an object is small
    num_classes: number of classes
    """

    photos: int
    minutes: float | None
    small: int
    num_classes: int

    def describe(self, choices: Mapping[int, SizeChoice], chosen: int) -> str:
        """One line: the chosen size, what it means, and what the nearest other size would mean."""
        choice, other = choices[chosen], _alternative(choices, chosen)
        if choice.passes is None:
            text = f"size: {chosen} px, with {self._small(choice)}"
            return f"{text} ({other.size} px: {self._small(other)})" if other else text
        count = format_count(self.photos, "photo")
        minutes = "1 minute" if self.minutes == 1 else f"{self.minutes:g} minutes"
        text = f"size: {chosen} px: {_passes(choice.passes)} over {count} in your {minutes}"
        if other is None or other.passes is None:
            return text
        if other.size < chosen:
            return f"{text} ({other.size} px: {_passes(other.passes)}, but {self._small(other)})"
        small = f", but {self._small(choice)}" if choice.small_share > MAX_SMALL_SHARE else ""
        return f"{text}{small} ({other.size} px: {_passes(other.passes)})"

    def _small(self, choice: SizeChoice) -> str:
        return f"{describe_share(choice.small_share, self.num_classes)} smaller than {self.small} px"


def _alternative(choices: Mapping[int, SizeChoice], chosen: int) -> SizeChoice | None:
    """The size that was nearly chosen: the next smaller one if it would leave too many objects small.

    If the chosen one does as well, or the smaller one does not, it is the next larger one, if any.
    """
    smaller = max((size for size in choices if size < chosen), default=None)
    larger = min((size for size in choices if size > chosen), default=None)
    nearest = smaller if larger is None else larger
    if choices[chosen].small_share <= MAX_SMALL_SHARE and smaller is not None:
        nearest = smaller if choices[smaller].small_share > MAX_SMALL_SHARE else larger
    return None if nearest is None else choices[nearest]


def _passes(passes: float) -> str:
    """A number of passes in words; below five, the first decimal matters."""
    number = f"{passes:.1f}" if passes < 5 else f"{passes:.0f}"
    return "1 pass" if number == "1.0" else f"{number.removesuffix('.0')} passes"
