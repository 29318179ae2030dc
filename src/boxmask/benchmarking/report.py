"""The result of a benchmark."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType

from boxmask.benchmarking.cases import Format
from boxmask.benchmarking.photos import BenchmarkPhotos
from boxmask.messages import format_count, format_percent

BUSY = 0.1  # the share of the CPU from which others are reported
WIDTH = 120


@dataclass(frozen=True)
class BenchmarkRow:
    """One row: a model with a number of threads and a batch size.

    model:   a run or a file, as given
    format:  "PyTorch", "ONNX" or "ONNX int8"
    threads: number of threads of a call
    batch:   photos per call
    calls:   number of timed calls, on decoded photos
    median_ms, p95_ms: the median and the 95th percentile of the time of a call
    photos_per_second: on decoded photos
    photos_per_second_from_files: with reading and decoding the files; None if the time was too short for it
    ratio:   speed relative to the first row: the median over the rounds
    memory_mb: peak RAM of the process, including libraries
    """

    model: str
    format: Format
    threads: int
    batch: int
    calls: int
    median_ms: float
    p95_ms: float
    photos_per_second: float
    photos_per_second_from_files: float | None
    ratio: float
    memory_mb: float


@dataclass(frozen=True)
class Benchmark:
    """How fast models are on this machine. `print()` shows the report.

    rows:    one per model, number of threads and batch size
    shares:  of each model, the share of the time that each stage or group of operators takes
    photos:  the photos used
    machine: the CPU, its cores, and versions
    busy:    the share of the CPU that other processes used during the measurement; None if it is unknown
    """

    rows: tuple[BenchmarkRow, ...]
    shares: dict[str, dict[str, float]]
    photos: BenchmarkPhotos
    machine: dict[str, str | int]
    busy: float | None = field(default=None)

    @property
    def is_busy(self) -> bool:
        """Whether other processes used more than a tenth of the CPU during the measurement."""
        return self.busy is not None and self.busy > BUSY

    def notes(self) -> tuple[str, ...]:
        """What to know before trusting the numbers."""
        notes = []
        if self.is_busy:
            share = format_percent(self.busy or 0.0)
            notes.append(
                f"other processes used {share} of the CPU during the measurement, so the times are too long. "
                "The ratios are more reliable. Measure again when the machine is idle."
            )
        if any(row.photos_per_second_from_files is None for row in self.rows):
            notes.append(
                'the time was too short to measure the cells with "-". Raise --max-minutes (in Python: '
                "max_minutes)."
            )
        if all(row.format == "PyTorch" for row in self.rows):
            notes.append("an ONNX file is often faster. Write one with boxmask export, and measure it, too.")
        return tuple(notes)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain numbers, texts and lists."""
        photos = {
            "origin": self.photos.origin,
            "files": [str(file) for file in self.photos.files],
            "sizes": [list(size) for size in self.photos.sizes],
        }
        rows = [asdict(row) for row in self.rows]
        return {
            "machine": self.machine,
            "photos": photos,
            "other_processes": self.busy,
            "rows": rows,
            "shares": self.shares,
        }

    def to_json(self) -> str:
        """`to_dict()` as JSON text."""
        return json.dumps(self.to_dict(), indent=1)

    def save_chart(self, path: str | Path) -> None:
        """Draw the photos per second of all rows, as a PNG file.

        Raises UsageError for another suffix, and for a file that boxmask did not write.
        """
        from boxmask.benchmarking.chart import draw_chart

        draw_chart(self, Path(path))

    def tables(self) -> RenderableType:
        """The tables of the terminal: speed, and where the time goes."""
        from boxmask.benchmarking.tables import shares_table, speed_table

        machine = f"{self.machine['cpu']}, {format_count(int(self.machine['cores']), 'core')}"
        speed, shares = speed_table(self.rows), shares_table(self.shares)
        return Group(machine, str(self.photos), "", speed, "", shares)

    def __repr__(self) -> str:
        file = io.StringIO()
        Console(file=file, width=WIDTH).print(self.tables())
        notes = [f"note: {note}" for note in self.notes()]
        lines = [line.rstrip() for line in file.getvalue().splitlines()]
        return "\n".join([*lines, *notes])
