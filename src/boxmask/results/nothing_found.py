"""A remark for a detector that found nothing: what to try."""

from __future__ import annotations

from collections.abc import Sequence

from boxmask.options import option
from boxmask.results.min_score import MinScore, at_least, describe
from boxmask.types import Detections


def note_on_nothing_found(results: Sequence[Detections], min_score: MinScore) -> tuple[str, ...]:
    """What to try if no photo has an object with the minimum score; no note if one has."""
    if not results or any(len(at_least(result, min_score)) for result in results):
        return ()
    best = max((result for result in results if len(result)), key=_highest_score, default=None)
    if best is None:
        return (
            "nothing was found in any photo, whatever the score. Check that the photos show the classes of "
            f"the model ({_first_names(results[0].class_names)}), and train on more photos like these.",
        )
    score = _highest_score(best)
    return (
        f"no photo has an object with {describe(min_score)}; the highest score is {score:.2f} "
        f"({best.names[0]}). Try {option('min_score')} {int(50 * score) / 100:g}, and check that the photos "
        f"show the classes of the model ({_first_names(best.class_names)}).",
    )


def _highest_score(result: Detections) -> float:
    return float(result.scores[0])


def _first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 6 else ""
    return ", ".join(names[:5] if more else names) + more
