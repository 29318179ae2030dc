"""A line and a progress bar for each download, on stderr: nothing is downloaded silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn


@contextmanager
def download_progress(address: str, start: int, size: int | None) -> Iterator[Callable[[int], None]]:
    """Say what is downloaded, and show a bar on a terminal; yields a function that takes the bytes received.

    start: bytes that an earlier download left
    size:  of the whole file, if known
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    megabytes = f" ({size / 1e6:,.0f} MB)" if size else ""
    console.print(f"{'continuing' if start else 'downloading'} {address}{megabytes}", markup=False)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=size, completed=start)
        yield lambda count: bar.advance(task, count)
