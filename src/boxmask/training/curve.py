"""The picture of a training: how the losses fell and the validation figures rose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from boxmask.atomic_write import atomic_write

NOT_LOSSES = {"stage", "step", "minutes", "images_per_second", "val"}


def draw_curve(log: Path, picture: Path) -> None:
    """Draw log.jsonl as a PNG: loss parts on the left, validation figures on the right, over minutes."""
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    losses = [row for row in rows if "val" not in row]
    validations = [row for row in rows if "val" in row]
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name in sorted({name for row in losses for name in row} - NOT_LOSSES):
        points = [(row["minutes"], row[name]) for row in losses if name in row]  # a stage has its own
        left.plot(*zip(*points, strict=True), label=name)
    left.set(xlabel="minutes", ylabel="loss", yscale="log" if losses else "linear", title="training")
    for name in validations[0]["val"] if validations else ():
        if name != "images":
            points = [(row["minutes"], row["val"].get(name)) for row in validations]
            right.plot(*zip(*points, strict=True), marker="o", label=name)
    right.set(xlabel="minutes", ylim=(0, 1), title="validation photos")
    for axes in (left, right):
        _decorate(axes)
    canvas: Any = FigureCanvasAgg(figure)
    with atomic_write(picture) as partial:
        canvas.print_png(partial)


def _decorate(axes: Any) -> None:
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
