"""Labels that are probably missing, wrong or badly placed, by the models that contradict them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = {"missing": "suspect.missing", "wrong class": "suspect.class", "bad box": "suspect.box"}
"""The kinds of suspect labels, with the keys of their texts."""


@dataclass(frozen=True, slots=True)
class SuspectGroup:
    """The suspect labels of one kind, by one model."""

    key: str
    number: int
    model: str
    count: int
    photos: tuple[int, ...]


def suspect_groups(failures: Mapping[int, dict[str, Any]], names: Sequence[str]) -> list[SuspectGroup]:
    """The groups that have any, kind by kind."""
    groups = []
    for kind, key in KINDS.items():
        for number, each in failures.items():
            found = each.get("suspects", {}).get(kind)
            if found and found["count"]:
                photos = tuple(dict.fromkeys(case["photo"] for case in found["cases"]))
                groups.append(SuspectGroup(key, number, names[number], found["count"], photos))
    return groups
