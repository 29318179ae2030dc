"""A progress bar with the time left, for the verbs that go from photo to photo; on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def photo_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Gives the function `progress(done, photos)` that moves the bar."""
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("photos"))
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, photos: bar.update(task, completed=done, total=photos)
