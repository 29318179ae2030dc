"""The answer of a forecast in plain words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from boxmask.forecasting.outlook import CurveOutlook, Outlook
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.runs.recipe import Recipe

FLAT = 0.005  # a gain that nobody would notice
UNTRAINED = 0.05  # a metric of models that find almost nothing
FEW_PHOTOS = 30  # evaluated photos whose metric says little about others
FAR = 2.0  # times the present photos


def sentences(metric: str, curve: CurveOutlook, evaluated: int, split: str) -> tuple[str, ...]:
    """What the largest number of further photos would bring, and what the interval is about.

    Models that find almost nothing have no answer but that.
    """
    if curve.now < UNTRAINED:
        return (
            f"The models have hardly learned anything ({metric} {curve.now:.3f}), so nothing can be forecast "
            f"yet. Raise {option('max_minutes')}, or check the labels.",
        )
    last = curve.outlooks[-1]
    low, high = last.interval
    return (
        f"With {last.more:,} more training photos ({last.photos:,} in all), expect {metric} "
        f"{last.metric:.3f} instead of {curve.now:.3f} (95 % interval: {low:.3f} to {high:.3f}).",
        f"The interval is for one training with further photos of the same kind, evaluated on the same "
        f"{evaluated:,} {split} photos. Two such trainings usually differ by {curve.usual_difference:.3f}.",
    )


def warnings(metric: str, curve: CurveOutlook, evaluated: int, split: str) -> tuple[str, ...]:
    """Why the forecast may not be trusted, or what to do instead of labeling."""
    last, found = curve.outlooks[-1], []
    if curve.now < UNTRAINED:
        return ()  # the sentences say so
    if last.gain < FLAT:
        found.append(
            f"the curve is flat: {last.more:,} more photos of the same kind would hardly raise {metric}. Try "
            f"another model, {option('size')} or a longer training first, or label the photos that the model "
            f"gets wrong ({option('pool')})."
        )
    elif last.gain < curve.usual_difference:
        found.append(
            f"chance hides the gain: two trainings on the same number of photos differ by "
            f"{curve.usual_difference:.3f}, and {last.more:,} more photos are expected to bring "
            f"{last.gain:.3f}. A single training may show no gain. Raise {option('draws')} for a closer look."
        )
    if far := [outlook for outlook in curve.outlooks if outlook.photos > FAR * (last.photos - last.more)]:
        found.append(_far_warning(far[0], last))
    if evaluated < FEW_PHOTOS:
        found.append(
            f"{evaluated:,} {split} photos are few: on others, {metric} may be quite different. The forecast "
            "is for these photos only."
        )
    return tuple(found)


def falling_warnings(
    metric: str, usual_difference: float, measured: Sequence[tuple[int, float]]
) -> tuple[str, ...]:
    """A warning if models of a part of the photos are better than those of all photos.

    usual_difference: between two trainings on the same number of photos
    measured: the photos and the metric of each training
    """
    values: dict[int, list[float]] = defaultdict(list)
    for photos, value in measured:
        values[photos].append(value)
    means = {photos: sum(of_size) / len(of_size) for photos, of_size in values.items()}
    total, best = max(means), max(means, key=lambda photos: means[photos])
    if means[best] <= means[total] + usual_difference:
        return ()
    return (
        f"models of {best:,} photos are better than those of all {total:,} ({metric} {means[best]:.3f} and "
        f"{means[total]:.3f}). The trainings are too short for so many photos, and the forecast is of no "
        f"use: raise {option('max_minutes')} or {option('epochs')}.",
    )


def _far_warning(first: Outlook, last: Outlook) -> str:
    present = last.photos - last.more
    return (
        f"there are {format_count(present, 'training photo')} only, so {first.more:,} more are more than "
        "twice as many. Label some of them, and forecast again."
    )


def budget_sentence(recipe: Recipe) -> str:
    """The budget of each training, and why it is fair."""
    if recipe.minutes is not None:
        return f"Each training took {recipe.minutes:g} minutes, whatever its number of photos."
    return (
        f"Each training took as many steps as {format_count(recipe.epochs or 0, 'pass')} over all "
        "training photos."
    )
