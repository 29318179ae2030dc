"""Precision and recall of each class at its recommended minimum score, and at a score of choice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from boxmask.comparison.report.numbers import percent

MAX_CLASSES = 30
"""Classes that are shown, those with the most objects first."""


@dataclass(frozen=True, slots=True)
class MinScoreRow:
    """One class of one model."""

    number: int
    model: str
    name: str
    min_score: str
    precision: str
    recall: str
    best_f1: str


def min_score_rows(
    failures: Mapping[int, dict[str, Any]], names: Sequence[str], classes: Sequence[str]
) -> list[MinScoreRow]:
    """The rows, class by class. classes: in the order of the rows"""
    rows = []
    for name in classes[:MAX_CLASSES]:
        for number, each in failures.items():
            scores = each.get("scores", {}).get(name)
            if not scores or scores["best_min_score"] is None:
                continue
            at = round(scores["best_min_score"] * (len(scores["min_scores"]) - 1))
            rows.append(
                MinScoreRow(
                    number,
                    names[number],
                    name,
                    f"{scores['best_min_score']:.2f}",
                    percent(scores["precision"][at]),
                    percent(scores["recall"][at]),
                    f"{scores['best_F1']:.3f}",
                )
            )
    return rows


def min_score_data(failures: Mapping[int, dict[str, Any]], rows: Sequence[MinScoreRow]) -> Markup:
    """Precision and recall in percent at the minimum scores 0, 0.01 .. 1 of each row, as JSON."""
    table = []
    for row in rows:
        scores = failures[row.number]["scores"][row.name]
        table.append([_percents(scores["precision"]), _percents(scores["recall"])])
    return Markup(json.dumps(table, separators=(",", ":")))


def _percents(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(100 * value, 1) for value in values]
