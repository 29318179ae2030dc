"""The process of a job. It outlives a server that is killed; the next server finds it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

PACKAGE_FOLDER = str(Path(__file__).parents[3])
SECRETS = ("BOXMASK_TOKEN",)
SAME_START = 2.0  # seconds: system clocks are corrected now and then
PROGRAM: tuple[str, ...] = (sys.executable, "-P", "-m", "boxmask")
"""-P: a folder called boxmask in the current one is another thing."""


class JobProcess:
    """A process that this server started, or that an earlier one left behind."""

    def __init__(self, process: psutil.Process, child: subprocess.Popen[bytes] | None = None) -> None:
        self._process, self._child = process, child

    @staticmethod
    def start(words: Sequence[str], messages: Path) -> JobProcess:
        """Start `boxmask WORDS`. Its messages are appended to a file.

        It has a session of its own, so that Ctrl-C in the terminal of the server does not reach it.
        Raises OSError.
        """
        path = os.pathsep.join([PACKAGE_FOLDER, *filter(None, [os.environ.get("PYTHONPATH")])])
        kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
        with messages.open("ab") as file:
            child = subprocess.Popen(
                [*PROGRAM, *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        return JobProcess(psutil.Process(child.pid), child)

    @staticmethod
    def find(pid: int, started: float) -> JobProcess | None:
        """The process with this id that was started at this time; None if it has ended."""
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if abs(process.create_time() - started) < SAME_START and _is_alive(process):
                return JobProcess(process)
        return None

    @property
    def pid(self) -> int:
        """Its id."""
        return int(self._process.pid)

    @property
    def started(self) -> float:
        """Seconds since 1970."""
        return float(self._process.create_time())

    def has_ended(self) -> bool:
        """Whether it has ended."""
        if self._child is not None:
            return self._child.poll() is not None
        return not _is_alive(self._process)

    @property
    def status(self) -> int | None:
        """Its exit code, or minus the signal that killed it; None if that is unknown."""
        return None if self._child is None else self._child.poll()

    def stop(self) -> None:
        """Ask it to save its work and end, as Ctrl-C does."""
        with suppress(psutil.NoSuchProcess):
            if not self.has_ended():
                self._process.send_signal(signal.SIGTERM)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
