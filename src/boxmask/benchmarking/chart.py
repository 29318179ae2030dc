"""The chart of a benchmark: photos per second of each row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from boxmask.benchmarking.report import Benchmark, BenchmarkRow
from boxmask.benchmarking.tables import short_names
from boxmask.errors import UsageError
from boxmask.messages import format_percent
from boxmask.outputs import check_replaceable, write_output
from boxmask.outputs.marks import MARK, MARK_KEY

SUFFIX = ".png"
BAR = 0.38  # the height of a bar; a row is 1


def check_chart(path: Path) -> None:
    """Raise UsageError for another suffix than .png, and for a file that boxmask did not write."""
    if path.suffix.lower() != SUFFIX:
        raise UsageError(f"{path}: expected a file name that ends in {SUFFIX}. Change --chart.")
    check_replaceable([path])


def draw_chart(benchmark: Benchmark, path: Path) -> None:
    """Write the chart as a PNG file. Raises UsageError as `check_chart` does."""
    check_chart(path)
    rows = benchmark.rows
    figure = Figure(figsize=(9, 1.4 + 0.55 * len(rows)), layout="constrained")
    axes: Any = figure.subplots()
    positions = range(len(rows))
    decoded = axes.barh(
        [place - BAR / 2 for place in positions],
        [row.photos_per_second for row in rows],
        BAR,
        label="decoded before",
    )
    files = axes.barh(
        [place + BAR / 2 for place in positions],
        [row.photos_per_second_from_files or 0.0 for row in rows],
        BAR,
        label="from photo files",
    )
    for bars in (decoded, files):
        axes.bar_label(bars, fmt="%.3g", padding=3, fontsize="small")
    names = short_names([row.model for row in rows])
    axes.set_yticks(positions, [_label(row, names) for row in rows])
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("photos per second")
    figure.suptitle(_title(benchmark), fontsize="small")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    canvas: Any = FigureCanvasAgg(figure)
    with write_output(path) as partial:
        canvas.print_png(partial, metadata={MARK_KEY: MARK})


def _title(benchmark: Benchmark) -> str:
    """Machine, photos and, on a busy machine, the share of other processes."""
    lines = [f"{benchmark.machine['cpu']}; {benchmark.photos}"]
    if benchmark.is_busy:
        lines.append(
            f"other processes used {format_percent(benchmark.busy or 0.0)} of the CPU during the measurement"
        )
    return _plain("\n".join(lines))


def _label(row: BenchmarkRow, names: dict[str, str]) -> str:
    threads = "1 thread" if row.threads == 1 else f"{row.threads} threads"
    return _plain(f"{names[row.model]}\n{row.format}, {threads}, batch {row.batch}")


def _plain(text: str) -> str:
    """Text that matplotlib can draw: between dollar signs, it would be a formula."""
    return text.encode("utf-8", "backslashreplace").decode().replace("$", r"\$")
