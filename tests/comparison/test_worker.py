"""The process of one model."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import multiprocessing, sys, threading, time
from boxmask.comparison.worker import stop_at_end_of_input

threading.Thread(target=stop_at_end_of_input, daemon=True).start()
time.sleep(0.2)
child = multiprocessing.get_context("fork").Process(target=int)
child.start()
child.join(30)
print(child.exitcode, flush=True)
child.kill()
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no process is forked on Windows")
def test_processes_of_the_data_loader_start_while_it_waits_for_the_end_of_its_input() -> None:
    program = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        process.stdin.close()
        assert process.wait(30) == -signal.SIGTERM
