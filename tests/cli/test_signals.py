"""Ctrl-C and kill, sent to the real program and its worker process as a terminal sends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boxmask.cli.train import INTERRUPTED
from boxmask.runs.run import Run
from boxmask.weights.checkpoint import load_detector, read_checkpoint

Process = subprocess.Popen[str]
Start = Callable[..., Process]
TIMEOUT = 90.0  # seconds, on a busy machine


@pytest.fixture
def start(here: Path) -> Iterator[Start]:
    """Start the program in a new process group. At the end of the test, the group is killed."""
    groups: list[int] = []

    def start_program(*arguments: object) -> Process:
        argv = ["boxmask", *map(str, arguments)]
        program = f"import sys; from boxmask.cli import main; sys.argv = {argv!r}; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        groups.append(process.pid)
        return process

    yield start_program
    for group in groups:
        if alive(group):
            os.killpg(group, signal.SIGKILL)


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)


def step_of(file: Path) -> int:
    return int(read_checkpoint(file)[1].training["step"])


def test_a_training_resumes_after_ctrl_c_and_after_a_kill(
    start: Start, boxmask: Callable[..., Any], here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    run = Run(here / "run")
    flags = (*quick_flags, "--workers", "1", "--epochs", "1000", "--save-seconds", "0.5")
    process = start("train", demo, *_last_of_each(flags), "--out", "run")
    wait_for(run.resume_file.is_file)

    os.killpg(process.pid, signal.SIGINT)  # a terminal sends Ctrl-C to the workers as well
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == INTERRUPTED, err
    assert out == "run\n"
    assert err.endswith("stopped; continue with: boxmask train --resume --out run\n")
    assert "Traceback" not in err
    wait_for(lambda: not alive(process.pid))
    stopped_at = step_of(run.resume_file)
    assert step_of(run.last_checkpoint) == stopped_at
    assert boxmask("predict", "run", demo / "images" / "test-00023.jpg").status == 0

    process = start("train", "--resume", "--out", "run")
    wait_for(lambda: step_of(run.resume_file) > stopped_at)
    process.send_signal(signal.SIGKILL)  # only the main process: the worker must notice
    process.communicate(timeout=TIMEOUT)
    wait_for(lambda: not alive(process.pid))
    _require_readable(run)
    killed_at = step_of(run.resume_file)
    assert killed_at > stopped_at

    process = start("train", "--resume", "--out", "run")
    wait_for(lambda: step_of(run.resume_file) > killed_at)
    process.send_signal(signal.SIGTERM)  # as at a shutdown
    assert process.wait(timeout=TIMEOUT) == INTERRUPTED


def _last_of_each(flags: tuple[str, ...]) -> list[str]:
    """Keep the last value of a flag that is given twice."""
    chosen = dict(zip(flags[::2], flags[1::2], strict=True))
    return [part for pair in chosen.items() for part in pair]


def _require_readable(run: Run) -> None:
    load_detector(run.path)
    for file in (run.last_checkpoint, run.resume_file):
        read_checkpoint(file)
    for file in (run.recipe_file, run.split_file):
        json.loads(file.read_text())
    for line in run.log_file.read_text().splitlines() if run.log_file.is_file() else []:
        json.loads(line)
