"""The process of one model, seen from the one that compares."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from boxmask.atomic_write import output_error
from boxmask.benchmarking.ended_process import describe_end
from boxmask.comparison.worker_status import STOPPED
from boxmask.errors import BoxmaskError

PACKAGE_FOLDER = str(Path(__file__).parents[2])
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}  # as `boxmask train` does, for glibc
LOG = "log.txt"
USE_LESS_MEMORY = (
    "Close other programs, or choose a smaller --size or --batch-size, and give the command again."
)
STOPPING = "stopping"  # the step that is shown after Ctrl-C, until the training is saved


class WorkError(BoxmaskError):
    """A model could not be trained or run."""


class WorkStoppedError(BoxmaskError):
    """The training of a model was stopped and saved."""


def run_worker(
    request: Mapping[str, Any], folder: Path, on_event: Callable[[Mapping[str, Any]], None]
) -> tuple[str, ...]:
    """Work on a model in a process of its own, so that its memory and its crashes are its own; returns notes.

    If the call is interrupted, the training is saved first. If this process is killed, the other one notices
    and saves the training as well.

    folder: gets the log of the process

    Raises WorkError if the process fails, and WorkStoppedError if it was stopped by a signal.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / LOG).open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise output_error(folder, error) from error
    with log:
        process = _start(log)
        message, notes = "", list[str]()
        try:
            for event in _events(process, request):
                message = event.get("error", message)
                notes += [event["note"]] if "note" in event else []
                on_event(event)
            status = process.wait()
        except KeyboardInterrupt:
            on_event({"step": STOPPING})
            raise
        finally:
            _stop(process)
        if status == STOPPED or status == -signal.SIGTERM:
            raise WorkStoppedError("the training was stopped. To continue, give the same command again.")
        if status:
            raise WorkError(message or f"its process {describe_end(status, log, USE_LESS_MEMORY)}")
    return tuple(notes)


def _start(log: IO[str]) -> subprocess.Popen[str]:
    """Start the process in a group of its own, so that the terminal does not send it Ctrl-C."""
    path = os.pathsep.join([PACKAGE_FOLDER, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "boxmask.comparison.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, **KEEP_MEMORY, "PYTHONPATH": path},
        encoding="utf-8",
        start_new_session=True,
    )


def _events(process: subprocess.Popen[str], request: Mapping[str, Any]) -> Any:
    """Send the request, and yield the events until the process ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    for line in process.stdout:
        if line.endswith("\n"):  # else the process was killed while it wrote
            yield json.loads(line)


def _stop(process: subprocess.Popen[str]) -> None:
    """Let the process save its training and end, if it has not. A further Ctrl-C ends it at once."""
    try:
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.close()  # tells it to stop
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
    finally:
        _close(process)


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
