"""Ctrl-C and kill, sent to the real program and its worker process as a terminal sends them."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boxmask.program_start import INTERRUPTED
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


def test_sigterm_to_the_group_of_a_young_training_saves_it(
    start: Start, here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    """As from `timeout`, systemd, Slurm and `docker stop`, before the first save."""
    run = Run(here / "run")
    flags = _last_of_each((*quick_flags, "--workers", "2", "--epochs", "1000"))
    process = start("train", demo, *flags, "--out", "run")
    wait_for(run.recipe_file.is_file)
    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (INTERRUPTED, "run\n"), err
    assert err.endswith("stopped; continue with: boxmask train --resume --out run\n")
    wait_for(lambda: not alive(process.pid))
    _require_readable(run)
    assert not list(run.path.glob(".*"))


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_signal_while_the_data_is_read_leaves_nothing(
    start: Start, here: Path, tmp_path: Path, name: str
) -> None:
    """The labels are a pipe that nobody writes to."""
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data" / "instances.json")
    process = start("train", tmp_path / "data")
    wait_for((here / "runs" / "faster-rcnn-1" / ".owner").is_file)
    process.send_signal(signal.Signals[name])
    out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out, err) == (INTERRUPTED, "", "boxmask: stopped.\n")
    assert not list(here.iterdir())


def test_a_second_training_of_a_run_is_refused(
    start: Start, here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    run = Run(here / "run")
    flags = _last_of_each((*quick_flags, "--epochs", "1000", "--save-seconds", "0.5"))
    process = start("train", demo, *flags, "--out", "run")
    wait_for(run.resume_file.is_file)
    for arguments in (("--resume",), (demo, *flags)):
        second = start("train", *arguments, "--out", "run")
        out, err = second.communicate(timeout=TIMEOUT)
        assert (second.returncode, out) == (2, "")
        if arguments == ("--resume",):
            assert err.startswith(f"boxmask: run: process {process.pid} on ")
            assert err.endswith("Wait for it, or stop it first.\n")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=TIMEOUT) == INTERRUPTED


def test_two_trainings_at_once_take_two_folders(
    start: Start, here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    processes = [start("train", demo, *quick_flags) for _ in range(2)]
    ended = [process.communicate(timeout=TIMEOUT) for process in processes]
    assert sorted(out for out, _ in ended) == ["runs/faster-rcnn-1\n", "runs/faster-rcnn-2\n"]
    assert [process.returncode for process in processes] == [0, 0]
    assert all(Run(here / "runs" / f"faster-rcnn-{number}").finished for number in (1, 2))


def can_mount() -> bool:
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount a file system")
def test_a_full_disk_ends_in_an_error_that_names_the_file(demo: Path, quick_flags: tuple[str, ...]) -> None:
    flags = _last_of_each((*quick_flags, "--epochs", "3", "--save-seconds", "0.1", "--out", "/mnt/run"))
    train = shlex.join([sys.executable, "-m", "boxmask", "train", str(demo), *flags])
    script = f"mount -t tmpfs -o size=30m tmpfs /mnt && {{ {train}; echo $?; ls /mnt/run; }}"
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    status, *files = ended.stdout.split()
    assert status == "1", ended.stderr
    assert "warning: /mnt/run/" in ended.stderr
    error = ended.stderr.splitlines()[-1]
    assert re.match(r"boxmask: /mnt/run/\w+\.safetensors: no space left on the disk\.", error)
    assert "Traceback" not in ended.stderr
    assert "recipe.json" in files


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
