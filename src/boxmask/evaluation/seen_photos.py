"""The mark of an evaluation on photos that the model has seen in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jaxtyping import Shaped
from numpy import ndarray

from boxmask.data.seen import Seen
from boxmask.messages import format_count
from boxmask.options import option

ENOUGH = 10
"""With fewer photos, metrics tell next to nothing."""

_WORDS = {"train": "training photo", "val": "validation photo"}


@dataclass(frozen=True)
class SeenPhotos:
    """The evaluated photos that the model, or one that it started from, has seen in training.

    photos:     where each was seen, by file
    num_photos: number of evaluated photos
    """

    photos: Mapping[str, Seen]
    num_photos: int

    def describe(self) -> str:
        """How many were seen and by which trainings, and what to do; "" if there are none."""
        if not self.photos:
            return ""
        counts = Counter((seen.split, seen.run) for seen in self.photos.values())
        by_run = ", ".join(
            f"{format_count(count, _WORDS[split])} of {run}" for (split, run), count in counts.items()
        )
        verb = "was" if len(self.photos) == 1 else "were"
        seen = f"{len(self.photos):,} of {format_count(self.num_photos, 'photo')} {verb} seen in training"
        return f"tainted: {seen} ({by_run}). Expect lower metrics on new photos. {self._remedy()}"

    @property
    def count_text(self) -> str:
        """The number of seen photos for one line; "" if there are none."""
        return f"tainted: {len(self.photos):,} seen in training" if self.photos else ""

    def _remedy(self) -> str:
        rest = self.num_photos - len(self.photos)
        if rest >= ENOUGH:
            return f"{option('unseen')} evaluates the other {rest:,}."
        return f"Only {format_count(rest, 'photo')} would be left without them." if rest else "None is new."


class _Photos(Protocol):
    @property
    def files(self) -> Shaped[ndarray, " P"]: ...

    @property
    def seen(self) -> Mapping[str, Seen] | None: ...


def find_seen(dataset: _Photos) -> SeenPhotos | None:
    """The photos of a data set that the model has seen; None if that is not known."""
    if dataset.seen is None:
        return None
    files = dict.fromkeys(dataset.files.tolist())
    return SeenPhotos({file: dataset.seen[file] for file in files if file in dataset.seen}, len(files))


def seen_to_dict(seen: SeenPhotos | None) -> dict[str, Any]:
    """`tainted`, and where each photo was seen; None if that is not known."""
    if seen is None:
        return {"tainted": None, "seen_photos": None}
    photos = [{"photo": file, **found._asdict()} for file, found in seen.photos.items()]
    return {"tainted": bool(photos), "seen_photos": photos}
