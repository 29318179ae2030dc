"""The display of a comparison: a table that grows, and what is being done. Plain lines outside a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from boxmask.comparison.contract import ComparedModel, Comparison, FailedModel
from boxmask.comparison.display import Display
from boxmask.comparison.table import WIDTH, comparison_table, models_table

SECONDS_BETWEEN_LINES = 30.0


class TerminalDisplay(Display):
    """Shows a comparison on stderr; the result goes to stdout."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console, self._live = console, live
        self._metric, self._status = "AP", ""
        self._models: Sequence[ComparedModel] = ()
        self._failed: Sequence[FailedModel] = ()
        self._last_step, self._last_line = "", 0.0

    def reading(self, done: int, total: int) -> None:
        """Show how many photos are examined."""
        self._show_status(f"reading photos: {done:,} of {total:,}", "reading")

    def begin(self, lines: Sequence[str], metric: str) -> None:
        """Print the plan."""
        self._metric = metric
        for line in lines:
            self._print(line)

    def working(self, name: str, step: str, share: float | None, left: str) -> None:
        """Show the step that a model is in."""
        done = [f"{name}: {step}", *([] if share is None else [f"{share:.0%}"]), *([left] if left else [])]
        self._show_status(", ".join(done), done[0])

    def note(self, text: str) -> None:
        """Print a remark."""
        self._print(f"note: {text}")

    def show(self, models: Sequence[ComparedModel], failed: Sequence[FailedModel]) -> None:
        """Show the table, or print the line of the model that is done."""
        if not self._console.is_terminal:
            new = models[len(self._models) :]
            for model in new:
                value = model.evaluation[self._metric]
                self._print(f"{model.name}: {self._metric} {value:.3f}" if value is not None else model.name)
            for each in failed[len(self._failed) :]:
                self._print(f"{each.name} failed: {each.message}")
        self._models, self._failed = tuple(models), tuple(failed)
        self._live.update(self._picture())

    def print_result(self, comparison: Comparison) -> None:
        """Print the table to stdout, in a file as wide as it needs."""
        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDTH)
        console.print(comparison_table(comparison))

    def _show_status(self, text: str, step: str) -> None:
        self._status = text
        if self._console.is_terminal:
            self._live.update(self._picture())
            return
        now = time.monotonic()
        if step != self._last_step or now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_step, self._last_line = step, now
            self._print(text)

    def _picture(self) -> Group:
        if not (self._models or self._failed):
            return Group(Text(self._status))
        return Group(models_table(self._metric, self._models, self._failed), Text(self._status))

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def terminal_display() -> Iterator[TerminalDisplay]:
    """A display that draws until the end of the block."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield TerminalDisplay(console, Live(console=Console(stderr=True, quiet=True), auto_refresh=False))
        return
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield TerminalDisplay(console, live)
