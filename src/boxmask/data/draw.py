"""How splits were drawn: the record that lets photos that are added later join a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boxmask.json_numbers import is_number

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Draw:
    """How the splits of a data set were drawn.

    seed:     of the random order
    shares:   the share of the photos for each drawn split; train keeps the rest
    group_by: what kept photos together, see `find_groups`; None: the same bytes
    vanished: the split of each photo that an earlier data set had and this one lacks
    contents: digests of photos, as far as they are known, the vanished ones included
    """

    seed: int
    shares: Mapping[str, float]
    group_by: str | None = None
    vanished: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record in a split file. The digests are stored there for all photos."""
        vanished = {
            split: sorted(photo for photo, found in self.vanished.items() if found == split)
            for split in SPLITS
        }
        return {
            "seed": self.seed,
            "shares": dict(self.shares),
            "group_by": self.group_by,
            "vanished": {split: photos for split, photos in vanished.items() if photos},
        }

    @staticmethod
    def from_json(content: object) -> Draw:
        """What `to_json` returned. Raises ValueError for anything else."""
        if not isinstance(content, dict):
            raise ValueError("expected an object")
        seed, shares, group_by = content.get("seed"), content.get("shares"), content.get("group_by")
        vanished = content.get("vanished", {})
        if not (
            type(seed) is int
            and seed >= 0
            and isinstance(shares, dict)
            and set(shares) <= set(SPLITS)
            and all(is_number(share) and 0 <= share <= 1 for share in shares.values())
            and (group_by is None or isinstance(group_by, str))
            and isinstance(vanished, dict)
            and set(vanished) <= set(SPLITS)
            and all(isinstance(photos, list) for photos in vanished.values())
            and all(isinstance(photo, str) for photos in vanished.values() for photo in photos)
        ):
            raise ValueError("expected seed, shares, group_by and vanished")
        pairs = {photo: split for split, photos in vanished.items() for photo in photos}
        return Draw(seed, shares, group_by, pairs)
