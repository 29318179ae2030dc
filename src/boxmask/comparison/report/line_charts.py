"""Lines: precision and recall, calibration, and the recall of proposals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boxmask.comparison.report.numbers import fraction
from boxmask.comparison.report.scales import Scale, Tick

WIDTH, HEIGHT = 340, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 10, 34
ACROSS = Scale(0.0, 1.0, _LEFT, WIDTH - _RIGHT)
UP = Scale(0.0, 1.0, HEIGHT - _BOTTOM, _TOP)

MAX_CLASSES = 12
"""Classes with a chart, those with the most objects first."""


@dataclass(frozen=True, slots=True)
class Line:
    """The line of one model. dots: (x, y, radius, words)"""

    number: int
    name: str
    words: str
    path: str
    dots: tuple[tuple[float, float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LineChart:
    """A square of fractions. key: of the title in the messages, or "" if `name` is the title"""

    key: str
    name: str
    x_key: str
    y_key: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    has_diagonal: bool = False


def _chart(
    name: str, keys: tuple[str, str], lines: Sequence[Line], across: Scale = ACROSS, *, diagonal: bool = False
) -> LineChart:
    ticks = tuple(across.ticks()), tuple(UP.ticks())
    return LineChart("", name, *keys, tuple(lines), *ticks, diagonal)


def precision_recall_charts(
    failures: Mapping[int, dict[str, Any]], names: Sequence[str], classes: Sequence[str]
) -> list[LineChart]:
    """Precision and recall at IoU 0.5, a chart per class.

    classes: in the order of the charts
    """
    charts: list[LineChart] = []
    for name in classes:
        lines = []
        for number, each in failures.items():
            curves = each.get("curves", {})
            precision = curves.get("precision", {}).get(name, {}).get("0.50")
            if precision is not None:
                area = sum(precision) / len(precision)
                words = f"{names[number]}: AP50 {fraction(area)}"
                path = _path(curves["recalls"], precision)
                lines.append(Line(number, names[number], words, path, _best_point(each, name)))
        if lines and len(charts) < MAX_CLASSES:
            charts.append(_chart(name, ("axis.recall", "axis.precision"), lines))
    return charts


def _best_point(failures: dict[str, Any], name: str) -> tuple[tuple[float, float, float, str], ...]:
    """A dot at the recommended minimum score of the class."""
    scores = failures.get("scores", {}).get(name)
    best = None if scores is None else scores["best_min_score"]
    if scores is None or best is None:
        return ()
    at = min(range(len(scores["min_scores"])), key=lambda index: abs(scores["min_scores"][index] - best))
    precision, recall = scores["precision"][at], scores["recall"][at]
    if precision is None or recall is None:
        return ()
    return ((ACROSS(recall), UP(precision), 4, f"{best:.2f}: P {precision:.2f}, R {recall:.2f}"),)


def calibration_chart(failures: Mapping[int, dict[str, Any]], names: Sequence[str]) -> LineChart | None:
    """How often detections of some score are right; None without scores."""
    lines = []
    for number, each in failures.items():
        calibration = each.get("calibration")
        if not calibration:
            continue
        bins = calibration["bins"]
        most = max(score_bin["count"] for score_bin in bins)
        dots = tuple(
            (
                ACROSS(score_bin["mean_score"]),
                UP(score_bin["share_correct"]),
                round(2 + 3 * (score_bin["count"] / most) ** 0.5, 1),
                f"{score_bin['count']:,}: {score_bin['mean_score']:.2f} → {score_bin['share_correct']:.2f}",
            )
            for score_bin in bins
        )
        path = _path([each["mean_score"] for each in bins], [each["share_correct"] for each in bins])
        words = f"{names[number]}: ECE {calibration['ECE']:.3f}"
        lines.append(Line(number, names[number], words, path, dots))
    return _chart("", ("axis.score", "axis.correct"), lines, diagonal=True) if lines else None


def proposal_chart(failures: Mapping[int, dict[str, Any]], names: Sequence[str]) -> LineChart | None:
    """The recall of proposals at each IoU; None if no model has proposals."""
    across = Scale(0.5, 1.0, _LEFT, WIDTH - _RIGHT)
    lines = []
    for number, each in failures.items():
        curve = each.get("proposals")
        if curve:
            path = _path(curve["ious"], curve["recall"], across)
            lines.append(Line(number, names[number], names[number], path))
    return _chart("", ("axis.iou", "axis.proposal_recall"), lines, across) if lines else None


def _path(xs: Sequence[float], ys: Sequence[float], across: Scale = ACROSS) -> str:
    """A line through points; points on a straight piece are left out."""
    points = [(across(x), UP(y)) for x, y in zip(xs, ys, strict=True)]
    kept = [
        point
        for index, point in enumerate(points)
        if index in (0, len(points) - 1) or not points[index - 1][1] == point[1] == points[index + 1][1]
    ]
    return "M" + "L".join(f"{x} {y}" for x, y in kept)
