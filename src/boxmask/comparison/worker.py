"""The process of one model: it trains it, runs it on the photos, and exports it.

It reads one request as a line of JSON, and writes events as lines of JSON. If its input ends, because the
process that started it was stopped or killed, it saves the training and ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from boxmask.comparison.jobs import Job
from boxmask.comparison.steps import StepError, export_forms, find_objects, train_model
from boxmask.comparison.worker_status import STOPPED
from boxmask.errors import BoxmaskError

Send = Callable[..., None]


def main() -> None:
    """Do the work of the request."""
    request = json.loads(sys.stdin.readline())
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no event
    threading.Thread(target=stop_at_end_of_input, daemon=True).start()

    def send(**event: Any) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    with FileLock(request["lock"]):  # an earlier process may still be saving its training
        sys.exit(_work(request, send))


def _work(request: dict[str, Any], send: Send) -> int:
    """Train, run and export; returns the exit code. Errors are sent."""
    job, folder = Job.from_dict(request["job"]), Path(request["folder"])
    photos = [Path(photo) for photo in request["photos"]]
    try:
        if not train_model(job, Path(request["data"]), folder, send):
            return STOPPED
        find_objects(job, photos, folder, request["device"], send)
    except BoxmaskError as error:
        send(error=str(error))
        return 1
    try:
        export_forms(job, Path(request["data"]), folder, request["forms"], send)
    except StepError as error:
        send(note=str(error))
    return 0


def stop_at_end_of_input() -> None:
    """Stop this process when the one that started it has ended, or asks for it by closing the pipe.

    A read of `sys.stdin` would hold its lock, for which each forked process waits when it closes it.
    """
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
