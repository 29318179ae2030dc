"""Bars side by side: the AP lost to each kind of error, recall by object size, and time by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boxmask.comparison.contract import Comparison
from boxmask.comparison.report.numbers import fraction, percent, rounded, short

ERRORS = ("class", "location", "both", "duplicate", "background", "missed")


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one model. percent: of the longest; photos: indices of those that show examples"""

    number: int
    name: str
    text: str
    percent: float
    photos: tuple[int, ...] = ()
    count: int | None = None


@dataclass(frozen=True, slots=True)
class BarGroup:
    """The bars of all models for one thing. key: of its name in the messages, or "" if `name` is shown"""

    key: str
    name: str
    bars: tuple[Bar, ...]
    values: tuple[str, ...] = ()


def error_bars(failures: Mapping[int, dict[str, Any]], names: Sequence[str]) -> list[BarGroup]:
    """AP50 lost to each kind of error, by model; empty without errors.

    failures: by number of the model
    """
    known = {number: each["errors"]["types"] for number, each in failures.items() if each.get("errors")}
    longest = max((types[name]["lost_AP"] for types in known.values() for name in types), default=0.0)
    groups = []
    for error in ERRORS if known else ():
        bars = []
        for number, types in known.items():
            values = types[error]
            kept = [case for case in values["cases"] if _is_kept(case, failures[number])]
            photos = tuple(dict.fromkeys(case["photo"] for case in kept))
            share = rounded(100 * values["lost_AP"] / longest) if longest > 0 else 0
            bars.append(
                Bar(number, names[number], fraction(values["lost_AP"]), share, photos, values["count_kept"])
            )
        groups.append(BarGroup(f"error.{error}", "", tuple(bars)))
    return groups


def _is_kept(case: dict[str, Any], failures: dict[str, Any]) -> bool:
    """Whether the score of the detection reaches the recommended minimum, if there is a detection."""
    min_scores = failures.get("min_scores", {})
    return case.get("score") is None or case["score"] >= min_scores.get(case.get("predicted"), 0.0)


def size_bars(failures: Mapping[int, dict[str, Any]], names: Sequence[str]) -> list[BarGroup]:
    """Recall by object size, by model; sizes without objects are left out."""
    known = {number: each["sizes"] for number, each in failures.items() if each.get("sizes")}
    groups = []
    for index, size in enumerate(next(iter(known.values()), [])):
        if not size["objects"]:
            continue
        bars = []
        for number, sizes in known.items():
            recall = sizes[index]["found_kept"] / size["objects"]
            bars.append(Bar(number, names[number], percent(recall), rounded(100 * recall)))
        span = f"≥ {size['low']} px" if size["high"] is None else f"{size['low']} – {size['high']} px"
        groups.append(BarGroup("", span, tuple(bars), (f"{size['objects']:,}",)))
    return groups


@dataclass(frozen=True, slots=True)
class StagePart:
    """The time of one stage. start, length: in percent of the longest bar"""

    number: int
    name: str
    text: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class StageBar:
    """The time of one model in one form, stage by stage."""

    number: int
    name: str
    form: str
    total: str
    parts: tuple[StagePart, ...]


def stage_bars(comparison: Comparison) -> tuple[list[StageBar], list[str]]:
    """Time per photo by stage, and the names of all stages."""
    speeds = [(n, model.name, speed) for n, model in enumerate(comparison.models) for speed in model.speeds]
    measured = [row for row in speeds if row[2].stages_ms]
    stages = list(dict.fromkeys(stage for *_, speed in measured for stage in speed.stages_ms))
    longest = max((sum(speed.stages_ms.values()) for *_, speed in measured), default=1.0) or 1.0
    bars = []
    for number, name, speed in measured:
        parts, start = [], 0.0
        for stage, milliseconds in speed.stages_ms.items():
            length = 100 * milliseconds / longest
            words = f"{stage}: {short(milliseconds)} ms"
            parts.append(StagePart(stages.index(stage), stage, words, rounded(start), rounded(length)))
            start += length
        bars.append(StageBar(number, name, speed.form, short(speed.median_ms), tuple(parts)))
    return bars, stages
