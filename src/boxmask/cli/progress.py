"""A progress bar with the time left, for commands that run for a while; on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from boxmask.cli.interrupts import interrupt_on_signals
from boxmask.prediction.video.progress import FrameProgress
from boxmask.progress import Progress as ReportProgress


def photo_progress(title: str) -> AbstractContextManager[ReportProgress]:
    """Show a progress bar of photos; see `_progress`."""
    return _progress(title, "photos")


def seconds_progress(title: str) -> AbstractContextManager[ReportProgress]:
    """Show a progress bar of seconds; see `_progress`."""
    return _progress(title, "seconds")


@contextmanager
def _progress(title: str, unit: str) -> Iterator[ReportProgress]:
    """Show a progress bar; yields the function `progress(done, total)` that moves it.

    From here on, a signal raises KeyboardInterrupt, so that unfinished files are removed.
    """
    interrupt_on_signals()
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    console = Console(stderr=True)
    shown = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
    with shown as bar, _compile_notice(console):
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def frame_progress(title: str) -> Iterator[FrameProgress]:
    """Show a progress bar of the frames of a video. If their number is unknown, it shows "frame 120" only."""
    interrupt_on_signals()
    columns = (TextColumn(title), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    console = Console(stderr=True)
    with (
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
        _compile_notice(console),
    ):
        task = bar.add_task("", total=None)

        def show(done: int, total: int | None) -> None:
            frames = f"frame {done:,}" if total is None else f"{done:,}/{max(done, total):,} frames"
            known = None if total is None else max(done, total)
            bar.update(task, completed=done, total=known, description=frames)

        yield show


def _compile_notice(console: Console) -> AbstractContextManager[None]:
    """Within the block, say in one line when loops are compiled, which takes a while."""
    if "boxmask.kernels.compiled" not in sys.modules:  # this command has no loops
        return nullcontext()
    from boxmask.kernels.compile_time import COMPILING, notice_compilation

    return notice_compilation(lambda: console.print(COMPILING, highlight=False, soft_wrap=True))
