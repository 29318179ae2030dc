"""Trainings that are killed at random moments lose nothing, and reach the weights of an undisturbed training.

The process group is killed by SIGTERM, SIGINT or SIGKILL, from the first 50 ms on. After each kill the
training is resumed. `make chaos` runs the long form: 100 kills of a training of two minutes.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from boxmask.runs.run import Run
from boxmask.weights.checkpoint import load_model, read_checkpoint, read_metadata

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")

TIMEOUT = 300.0  # seconds, on a busy machine
STOPPED, FINISHED = 130, 0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
NETWORK = "--weights none --backbone test_resnet --save-seconds 0.3"
CLASSIFIER = f"--model classifier --size 32 --batch-size 16 --num-validations 5 {NETWORK}"
SEGMENTER = f"--model unet --model-option channels=(16,16,8,8) --size 64 --num-validations 40 {NETWORK}"
RCNN = (
    f"--model rcnn --size 64 --batch-size 6 --epochs 1 {NETWORK} "
    "--model-option region_size=64 --model-option hidden=32 --max-regions 20"
)


@dataclass
class KilledTraining:
    """One training in a folder, killed at random moments.

    best:     the highest metric of best.safetensors so far
    outcomes: how each process ended, for a failed test's message
    """

    folder: Path
    data: Path
    flags: str
    seed: int
    best: float = -1.0
    outcomes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.run = Run(self.folder / "run")

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """Start or resume the training in a process group of its own."""
        begun = self.run.recipe_file.is_file()
        arguments = ("--resume",) if begun else (str(self.data), *self.flags.split())
        process = subprocess.Popen(
            [sys.executable, "-m", "boxmask", "train", *arguments, "--out", "run"],
            cwd=self.folder,
            env={**os.environ, **ONE_THREAD},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def kill(self, number: signal.Signals, seconds: float, *, after_save: bool = False) -> None:
        """Kill the group some seconds after its start or its first save, and check what is left."""
        if self.run.finished:
            return
        before = time_of_save(self.run)
        with self.started() as process:
            while after_save and process.poll() is None and time_of_save(self.run) == before:
                time.sleep(0.01)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=seconds)
            if process.poll() is None:
                os.killpg(process.pid, number)
            self._check(process, number)

    def finish(self) -> None:
        """Resume the training and wait for its end."""
        if self.run.finished:
            return
        with self.started() as process:
            self._check(process, None)
        assert self.run.finished, self.outcomes

    def _check(self, process: subprocess.Popen[str], number: signal.Signals | None) -> None:
        _, err = process.communicate(timeout=TIMEOUT)
        name, code = number.name if number else "none", process.returncode
        self.outcomes.append(f"{name}: {code} {err.strip().splitlines()[-1:]}")
        assert not re.search(r'Exception ignored|File ".*boxmask', err), err
        if "Traceback" not in err:  # otherwise Python was still starting
            killed = {-int(number)} if number else set()
            assert code in {STOPPED, FINISHED} | killed, (code, err)
        assert_group_ends(process.pid)
        self._check_best()

    def _check_best(self) -> None:
        """The best weights can be loaded, and their metric never decreases."""
        if self.run.best_checkpoint.is_file():
            load_model(self.run.best_checkpoint, "cpu")
            metrics = read_metadata(self.run.best_checkpoint).metrics
            best = float(next(iter(metrics.values())))
            assert best >= self.best, self.outcomes
            self.best = best
        elif self.best >= 0:
            raise AssertionError(f"the best weights are gone: {self.outcomes}")


def time_of_save(run: Run) -> int:
    return run.resume_file.stat().st_mtime_ns if run.resume_file.is_file() else 0


def assert_group_ends(group: int) -> None:
    """Wait until no process of the group is left, loader workers included."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline, "a worker has outlived its training"
        time.sleep(0.02)


def train_undisturbed(folder: Path, data: Path, flags: str) -> tuple[Run, float]:
    """Train without a kill; returns the run and the seconds that it took."""
    folder.mkdir()
    training, began = KilledTraining(folder, data, flags, 0), time.monotonic()
    training.finish()
    return training.run, time.monotonic() - began


def assert_same_weights(run: Run, expected: Run) -> None:
    for name in ("last.safetensors", "best.safetensors"):
        ours, theirs = (read_checkpoint(folder / name)[0] for folder in (run.path, expected.path))
        assert ours.keys() == theirs.keys()
        different = [key for key in ours if not torch.equal(ours[key], theirs[key])]
        assert not different, (name, different)


SIGNALS = (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM))


@pytest.mark.parametrize(
    ("flags", "kills"),
    [(f"{CLASSIFIER} --epochs 20", "INT TERM KILL INT"), (RCNN, "KILL TERM KILL")],
    ids=["classifier", "rcnn"],
)
def test_a_training_killed_a_few_times_reaches_the_same_weights(
    demo: Path, tmp_path: Path, flags: str, kills: str
) -> None:
    expected, _ = train_undisturbed(tmp_path / "undisturbed", demo, flags)
    training = KilledTraining(tmp_path, demo, flags, seed=0)
    training.kill(signal.SIGINT, 0.05)
    training.kill(signal.SIGTERM, 0.5)
    for name in kills.split():
        number = signal.Signals[f"SIG{name}"]
        training.kill(number, training.random.uniform(0.0, 0.4), after_save=True)
    training.finish()
    assert_same_weights(training.run, expected)


@pytest.mark.chaos
def test_trainings_of_two_minutes_killed_a_hundred_times_reach_the_same_weights(
    demo: Path, tmp_path: Path
) -> None:
    """CHAOS_EPOCHS is the length of the training, CHAOS_KILLS the number of kills, CHAOS_SEED their seed."""
    epochs, kills, seed = (
        int(os.environ.get(f"CHAOS_{name}", default))
        for name, default in (("EPOCHS", "700"), ("KILLS", "100"), ("SEED", "0"))
    )
    flags = f"{SEGMENTER} --epochs {epochs}"
    expected, seconds = train_undisturbed(tmp_path / "undisturbed", demo, flags)
    training = KilledTraining(tmp_path, demo, flags, seed)
    for number in range(kills):
        if training.run.finished:
            assert_same_weights(training.run, expected)
            shutil.rmtree(training.run.path)
            training.best = -1.0
        latest = (
            4.0 if number % 4 == 0 else 0.15 * seconds
        )  # every fourth kill comes while the program starts
        training.kill(training.random.choice(SIGNALS), training.random.uniform(0.05, latest))
    training.finish()
    assert_same_weights(training.run, expected)
    Path(tmp_path / "outcomes.txt").write_text("\n".join(training.outcomes))
