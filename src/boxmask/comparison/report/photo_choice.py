"""Which photos the gallery shows: those where labels and models disagree most, and examples of confusions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_PHOTOS = 60
"""Photos of the gallery."""

_EXAMPLES = 20
"""Photos that are chosen as examples of confused classes and of kinds of errors."""


@dataclass(frozen=True, slots=True)
class ChosenPhoto:
    """A photo of the gallery.

    suspicion: how much speaks against its labels; 0 if they are probably right
    """

    index: int
    file: str
    suspicion: float


def choose_photos(
    files: Sequence[str], failures: Mapping[int, dict[str, Any]], max_photos: int = MAX_PHOTOS
) -> list[ChosenPhoto]:
    """The photos, in the order of the gallery: suspect labels first, then those with most disagreement.

    failures: by number of the model. Without any, the first photos are chosen.
    """
    suspicion, disagreement = _scores(failures)
    order = sorted(
        range(len(files)), key=lambda index: (-suspicion.get(index, 0.0), -disagreement.get(index, 0.0))
    )
    chosen = set(order[: max_photos - _EXAMPLES])
    for index in [*_examples(failures), *order]:
        if len(chosen) < max_photos:
            chosen.add(index)
    return [ChosenPhoto(index, files[index], suspicion.get(index, 0.0)) for index in order if index in chosen]


def _scores(failures: Mapping[int, dict[str, Any]]) -> tuple[dict[int, float], dict[int, float]]:
    """The highest suspicion of any model, and the sum of their disagreements, by photo."""
    suspicion: dict[int, float] = {}
    disagreement: dict[int, float] = {}
    for each in failures.values():
        for photo in each.get("photos", ()):
            index = photo["photo"]
            suspicion[index] = max(suspicion.get(index, 0.0), photo["suspicion"])
            disagreement[index] = disagreement.get(index, 0.0) + photo["disagreement"]
    return suspicion, disagreement


def _examples(failures: Mapping[int, dict[str, Any]]) -> Iterable[int]:
    """The first photo of each confused pair of classes and of each kind of error, then the second, ..."""
    lists = [
        cell["cases"] for each in failures.values() for cell in each.get("confusion", {}).get("cells", ())
    ]
    for each in failures.values():
        if each.get("errors"):
            lists += [error["cases"] for error in each["errors"]["types"].values()]
    for turn in range(max(map(len, lists), default=0)):
        for cases in lists:
            if turn < len(cases):
                yield cases[turn]["photo"]
