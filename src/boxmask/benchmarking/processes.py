"""The processes of the cases, seen from the one that starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from boxmask import errors
from boxmask.benchmarking.cases import Case
from boxmask.benchmarking.ended_process import describe_end
from boxmask.errors import BoxmaskError
from boxmask.messages import format_count
from boxmask.runtime.session import usable_cores

THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
PACKAGE_FOLDER = str(Path(__file__).parents[2])


class CaseProcess:
    """A process that has loaded the model of a case.

    memory: bytes of RAM at the peak, as of the last reply
    """

    def __init__(self, case: Case) -> None:
        self.case, self.memory = case, 0
        path = os.pathsep.join([PACKAGE_FOLDER, *filter(None, [os.environ.get("PYTHONPATH")])])
        settings = dict.fromkeys(THREAD_SETTINGS, str(case.threads))
        self._messages = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "boxmask.benchmarking.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            env={**os.environ, **settings, "PYTHONPATH": path},
            encoding="utf-8",
        )

    @property
    def number(self) -> int:
        """The id of the process."""
        return self._process.pid

    def load(self, files: Sequence[Path]) -> None:
        """Load the model and the photos, and run once to warm up."""
        self._ask(case=asdict(self.case), files=[str(file) for file in files])

    def measure(self, from_files: bool, seconds: float) -> list[float]:
        """The seconds of each call."""
        calls: list[float] = self._ask(do="measure", from_files=from_files, seconds=seconds)["calls"]
        return calls

    def shares(self) -> dict[str, float]:
        """The share of the time of each part."""
        shares: dict[str, float] = self._ask(do="shares")["shares"]
        return shares

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._messages.close()

    def _ask(self, **request: Any) -> dict[str, Any]:
        """Send a request, and wait for the reply. Raises the error that the process reports."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise self._ended()
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise getattr(errors, reply["error"], BoxmaskError)(reply["message"])
        self.memory = reply["memory"]
        return reply

    def _ended(self) -> BoxmaskError:
        """The error for a process that ended on its own."""
        status = self._process.wait()
        case = f"{self.case.source} with {format_count(self.case.threads, 'thread')}"
        remedy = "Close other programs, or measure fewer models at a time."
        end = describe_end(status, self._messages, remedy)
        return BoxmaskError(f"{case}: the process that measured it {end}")


@contextmanager
def started(cases: Sequence[Case], files: Sequence[Path]) -> Iterator[list[CaseProcess]]:
    """One process per case, with its model loaded. They end with the block."""
    with ExitStack() as stack:
        processes = []
        for case in cases:
            processes.append(CaseProcess(case))
            stack.callback(processes[-1].close)
        with ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(partial(CaseProcess.load, files=files), processes))
        yield processes
