"""What a training shows while it goes on: a bar with losses, speed and the time left; on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from boxmask.atomic_write import atomic_write
from boxmask.training.clock import Clock

LINE_SECONDS = 30.0  # between lines where there is no terminal to draw a bar on
LOG_SECONDS = 5.0  # between lines of log.jsonl
WINDOW = 20  # steps that the shown figures are averaged over


def forget_after(log: Path, stage: str, step: int) -> None:
    """Drop what log.jsonl says of a stage's later steps, which a training resumed at `step` writes anew.

    A line that a crash cut short is dropped, too.
    """
    lines = log.read_text().splitlines(keepends=True) if log.is_file() else []
    rows = [(line, json.loads(line)) for line in lines if line.endswith("\n")]
    kept = [line for line, row in rows if row["stage"] != stage or row["step"] <= step]
    with atomic_write(log) as partial:
        partial.write_text("".join(kept))


class Report:
    """Draws the bar, or prints a line now and then where stderr is not a terminal, and writes the log."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
        shown = (TextColumn("{task.fields[line]}"), TimeElapsedColumn())
        self.bar = Progress(*columns, *shown, console=self.console, disable=not self.console.is_terminal)
        self.task = self.bar.add_task("training", total=1.0, line="")
        self.recent: deque[dict[str, float]] = deque(maxlen=WINDOW)
        self.speed: deque[tuple[float, int]] = deque(maxlen=WINDOW + 1)
        self.log: Path | None = None
        self.stage, self.seconds_before = "training", 0.0
        self.counted_from = sys.maxsize
        self.began = self.last_line = self.last_log = time.monotonic()

    def begin(self, stage: str, number: int, stages: int, seconds_before: float) -> None:
        """A stage begins, the training being so old."""
        self.stage, self.seconds_before = stage, seconds_before
        self.begin_count()
        self.recent.clear()
        self.speed.clear()
        if stages > 1:
            self.say(f"stage {number} of {stages}: {stage}")
        self.bar.reset(self.task, description=stage, total=1.0, line="")

    def begin_count(self) -> None:
        """What `count` counts begins now."""
        self.began, self.counted_from = time.monotonic(), sys.maxsize

    def count(self, done: int, total: int, what: str = "photos") -> None:
        """After each of `total` things; of those that were done before, none is counted."""
        now = time.monotonic()
        self.counted_from = min(self.counted_from, done - 1)  # a stage that goes on begins further up
        left = (now - self.began) / (done - self.counted_from) * (total - done) / 60
        line = f"{done} of {total} {what}  {left:.1f} min left"
        self.bar.update(self.task, completed=done / max(1, total), line=line)
        if not self.console.is_terminal and now - self.last_line > LINE_SECONDS:
            self.say(line)
            self.last_line = now

    def __enter__(self) -> Report:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """A line above the bar."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """After each step: the parts of its loss, and how many photos it had."""
        now = time.monotonic()
        self.recent.append(losses)
        self.speed.append((now, images))
        line = self._line(clock)
        self.bar.update(self.task, completed=clock.progress, line=line)
        if not self.console.is_terminal and now - self.last_line > LINE_SECONDS:
            self.say(f"{100 * clock.progress:.0f} %  {line}")
            self.last_line = now
        if now - self.last_log > LOG_SECONDS:
            minutes = (self.seconds_before + clock.seconds) / 60
            self.write({"step": clock.step, "minutes": minutes, **self.losses()})
            self.last_log = now

    def losses(self) -> dict[str, float]:
        """The loss parts, averaged over the last steps, and images/s."""
        parts = {name: sum(row[name] for row in self.recent) / len(self.recent) for name in self.recent[-1]}
        return {**parts, "images_per_second": self.images_per_second()}

    def images_per_second(self) -> float:
        """Over the last steps."""
        if len(self.speed) < 2:
            return 0.0
        seconds = self.speed[-1][0] - self.speed[0][0]
        return sum(images for _, images in list(self.speed)[1:]) / max(seconds, 1e-9)

    def write(self, row: dict[str, Any]) -> None:
        """A line of log.jsonl."""
        if self.log:
            with self.log.open("a") as file:
                file.write(json.dumps({"stage": self.stage, **row}) + "\n")

    def _line(self, clock: Clock) -> str:
        losses = self.losses()
        speed = losses.pop("images_per_second")
        parts = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        left = clock.seconds_left
        ends = f"  {left / 60:.1f} min left" if left is not None else ""
        return f"loss {sum(losses.values()):.3f} ({parts})  {speed:.1f} images/s{ends}"
