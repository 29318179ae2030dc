"""What a training shows while it goes on: a bar with losses, speed and the time left; on stderr."""

from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from boxmask.training.schedule import Clock
from boxmask.writing import replacing

LINE_SECONDS = 30.0  # between lines where there is no terminal to draw a bar on
LOG_SECONDS = 5.0  # between lines of log.jsonl
WINDOW = 20  # steps that the shown figures are averaged over


def forget_after(log: Path, step: int) -> None:
    """Drop what log.jsonl says of later steps, which a training resumed at `step` writes anew.

    A line that a crash cut short is dropped, too.
    """
    lines = log.read_text().splitlines(keepends=True) if log.is_file() else []
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    with replacing(log) as partial:
        partial.write_text("".join(kept))


class Report:
    """Draws the bar, or prints a line now and then where stderr is not a terminal, and writes the log."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        columns = (TextColumn("training"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
        shown = (TextColumn("{task.fields[line]}"), TimeElapsedColumn())
        self.bar = Progress(*columns, *shown, console=self.console, disable=not self.console.is_terminal)
        self.task = self.bar.add_task("training", total=1.0, line="")
        self.recent: deque[dict[str, float]] = deque(maxlen=WINDOW)
        self.speed: deque[tuple[float, int]] = deque(maxlen=WINDOW + 1)
        self.log: Path | None = None
        self.last_line = self.last_log = time.monotonic()

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
            self.write({"step": clock.step, "minutes": clock.seconds / 60, **self.losses()})
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
                file.write(json.dumps(row) + "\n")

    def _line(self, clock: Clock) -> str:
        losses = self.losses()
        speed = losses.pop("images_per_second")
        parts = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        left = clock.seconds_left
        ends = f"  {left / 60:.1f} min left" if left is not None else ""
        return f"loss {sum(losses.values()):.3f} ({parts})  {speed:.1f} images/s{ends}"
