"""The plot of a training run: losses and validation metrics over time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from boxmask.atomic_write import atomic_write
from boxmask.json_numbers import is_number
from boxmask.outputs.marks import MARK, MARK_KEY
from boxmask.training.progress import NOT_LOSSES, read_log

MAX_VALUE = 1e100
"""Larger values, of a damaged log, have no scale."""

COUNTS = {"images", "seen_photos"}
"""Entries of a validation that are no metrics."""


def draw_curve(log: Path, picture: Path) -> None:
    """Plot log.jsonl as a PNG: losses on the left, validation metrics on the right, over training minutes."""
    rows = [row for row in read_log(log) if "minutes" in row]
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _plot_losses(left, [row for row in rows if "val" not in row])
    _plot_metrics(right, [row for row in rows if isinstance(row.get("val"), dict)])
    end = max((value for row in rows if math.isfinite(value := _number(row["minutes"]))), default=0.0)
    if end > 0:  # both from the beginning: the axis around a single validation would be a few seconds wide
        for axes in (left, right):
            axes.set_xlim(0, 1.02 * end)
    canvas: Any = FigureCanvasAgg(figure)
    with atomic_write(picture) as partial:
        canvas.print_png(partial, metadata={MARK_KEY: MARK})


def _plot_losses(axes: Any, rows: list[dict[str, Any]]) -> None:
    for name in sorted({name for row in rows for name in row} - NOT_LOSSES):
        points = [_point(row, row[name]) for row in rows if name in row]  # stages differ in their losses
        axes.plot(*zip(*points, strict=True), label=_label(name))
    axes.set(xlabel="training minutes", ylabel="loss", yscale="log" if rows else "linear", title="training")
    _add_grid_and_legend(axes)


def _plot_metrics(axes: Any, rows: list[dict[str, Any]]) -> None:
    for name in rows[0]["val"] if rows else ():
        if name not in COUNTS:
            points = [_point(row, row["val"].get(name)) for row in rows]
            axes.plot(*zip(*points, strict=True), marker="o", label=_label(name))
    axes.set(xlabel="training minutes", ylim=(0, 1), title="validation photos")
    _add_grid_and_legend(axes)


def _point(row: dict[str, Any], value: object) -> tuple[float, float]:
    """Minutes and value. NaN, which is not drawn, for anything but a finite number."""
    return _number(row["minutes"]), _number(value)


def _number(value: object) -> float:
    return float(value) if is_number(value) and abs(value) < MAX_VALUE else math.nan


def _label(name: str) -> str:
    """A name that matplotlib can draw: between dollar signs, it would be a formula."""
    return name.encode("utf-8", "backslashreplace").decode().replace("$", r"\$")


def _add_grid_and_legend(axes: Any) -> None:
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
