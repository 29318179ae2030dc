"""The progress display of a training: losses, speed and time left on stderr, and rows in log.jsonl."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from boxmask.atomic_write import atomic_write, output_error
from boxmask.training.clock import Clock, work_time

LINE_SECONDS = 30.0  # between lines where stderr is not a terminal
LOG_SECONDS = 5.0  # between rows of log.jsonl
WINDOW = 20  # steps that losses and speed are averaged over

NOT_LOSSES = {"stage", "step", "minutes", "passes", "learning_rate", "images_per_second", "val"}
"""Names in the rows of log.jsonl; all others are losses."""


class RowReceiver(Protocol):
    """Takes the rows of log.jsonl as well."""

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row, which may still be repeated after a stop."""

    def send(self) -> None:
        """The rows so far are final: the state that comes after them is saved."""


def read_log(log: Path) -> list[dict[str, Any]]:
    """Return the rows of log.jsonl. Lines that a crash or a full disk has damaged are left out."""
    rows = []
    for line in log.read_bytes().split(b"\n") if log.is_file() else []:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):  # not JSON, or not UTF-8
            continue
        if isinstance(row, dict) and isinstance(row.get("step", 0), int | float):
            rows.append(row)
    return rows


def drop_log_after(log: Path, stage: str, step: int, *, with_validation: bool = False) -> None:
    """Drop a stage's rows after `step` from log.jsonl: the resumed training writes them again.

    with_validation: whether it also repeats the validation at `step`
    """

    def is_kept(row: dict[str, Any]) -> bool:
        return row["step"] < step or (row["step"] == step and not (with_validation and "val" in row))

    complete = [row for row in read_log(log) if "stage" in row and isinstance(row.get("step"), int)]
    rows = [row for row in complete if row["stage"] != stage or is_kept(row)]
    with atomic_write(log) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class _SafeStderr:
    """stderr that ignores write errors: a closed terminal or pipe must not stop a training."""

    def __init__(self) -> None:
        self.stream = sys.stderr

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Report:
    """Shows progress and writes log.jsonl.

    On a terminal it draws a bar; elsewhere it prints a line every 30 seconds.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=cast(IO[str], _SafeStderr()))
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TextColumn("{task.fields[line]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task("training", total=1.0, line="")
        self.recent_losses: deque[dict[str, float]] = deque(maxlen=WINDOW)
        self.recent_images: deque[tuple[float, int]] = deque(maxlen=WINDOW + 1)  # clock's seconds, images
        self.log: Path | None = None
        self.log_failed = False
        self.receiver: RowReceiver | None = None
        self.learning_rate = 0.0
        self.stage, self.seconds_before = "training", 0.0
        self.first_done = sys.maxsize  # items that were already done when counting began
        self.began = work_time()
        self.last_line = self.last_log = time.monotonic()

    def __enter__(self) -> Report:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def begin_stage(self, stage: str, number: int, num_stages: int, seconds_before: float) -> None:
        """Start the display of a stage; `seconds_before` is the time spent in earlier stages."""
        self.stage, self.seconds_before = stage, seconds_before
        self.restart_estimate()
        self.recent_losses.clear()
        self.recent_images.clear()
        if num_stages > 1:
            self.message(f"stage {number} of {num_stages}: {stage}")
        self.bar.reset(self.task, description=stage, total=1.0, line="")

    @contextlib.contextmanager
    def reading_photos(self, title: str = "reading photos") -> Iterator[Callable[[int, int], None]]:
        """Yields a function that shows how many photos are done; nothing is shown before its first call."""
        has_begun = False

        def show(done: int, total: int) -> None:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                self.restart_estimate()
                self.bar.reset(self.task, description=title, total=1.0, line="")
                self.bar.start()
            self.advance(done, total)

        try:
            yield show
        finally:
            if has_begun:
                self.bar.stop()
                self.bar.reset(self.task, description=self.stage, total=1.0, line="")

    def restart_estimate(self) -> None:
        """Restart the estimate of the time left that `advance` shows."""
        self.began, self.first_done = work_time(), sys.maxsize

    def advance(self, done: int, total: int, unit: str = "photos") -> None:
        """Show that `done` of `total` items are done.

        Items that were done before the first call do not count towards the speed: a resumed stage starts with
        some of them.
        """
        self.first_done = min(self.first_done, done - 1)
        left = (work_time() - self.began) / (done - self.first_done) * (total - done) / 60
        line = f"{done} of {total} {unit}" + (f"  {left:.1f} min left" if done < total else "")
        self.bar.update(self.task, completed=done / max(1, total), line=line)
        self._message_if_due(line, time.monotonic())

    def message(self, text: str) -> None:
        """Print a line above the bar."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """Show one step: its losses and its number of images. The speed is that of the clock's seconds."""
        now = time.monotonic()
        self.recent_losses.append(losses)
        self.recent_images.append((clock.seconds, images))
        line = self._step_line(clock)
        self.bar.update(self.task, completed=clock.progress, line=line)
        self._message_if_due(f"{100 * clock.progress:.0f} %  {line}", now)
        if now - self.last_log > LOG_SECONDS:
            minutes = (self.seconds_before + clock.seconds) / 60
            rate = {"learning_rate": self.learning_rate} if self.learning_rate else {}
            passes = {"passes": round(clock.passes, 3)} if clock.steps_per_pass else {}
            self.write_log({"step": clock.step, "minutes": minutes, **passes, **rate, **self.mean_losses()})
            self.last_log = now

    def mean_losses(self) -> dict[str, float]:
        """The losses averaged over the last steps, and `images_per_second`."""
        rows = self.recent_losses
        losses = {name: sum(row[name] for row in rows) / len(rows) for name in rows[-1]}
        return {**losses, "images_per_second": self.images_per_second()}

    def images_per_second(self) -> float:
        """The speed over the last steps."""
        if len(self.recent_images) < 2:
            return 0.0
        seconds = self.recent_images[-1][0] - self.recent_images[0][0]
        return sum(images for _, images in list(self.recent_images)[1:]) / max(seconds, 1e-9)

    def write_log(self, row: dict[str, Any]) -> None:
        """Append a row to log.jsonl, with the name of the stage. If that fails, the training goes on."""
        if not self.log:
            return
        row = {"stage": self.stage, **row}
        if self.receiver:
            self.receiver.add(row)
        try:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            if not self.log_failed:
                self.message(f"warning: {output_error(self.log, error)} The log is incomplete.")
            self.log_failed = True

    def send_rows(self) -> None:
        """Let the receiver of rows have those so far. Call it when the state is saved."""
        if self.receiver:
            self.receiver.send()

    def _message_if_due(self, line: str, now: float) -> None:
        if not self.console.is_terminal and now - self.last_line > LINE_SECONDS:
            self.message(line)
            self.last_line = now

    def _step_line(self, clock: Clock) -> str:
        losses = self.mean_losses()
        speed = losses.pop("images_per_second")
        parts = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        left = clock.seconds_left
        time_left = f"  {left / 60:.1f} min left" if left is not None else ""
        passes = f"pass {clock.passes:.1f}  " if clock.steps_per_pass else ""
        return f"{passes}loss {sum(losses.values()):.3f} ({parts})  {speed:.1f} images/s{time_left}"
