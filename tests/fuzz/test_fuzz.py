"""The short form of `make fuzz`: the corpus, and some damaged inputs per target.

A failure says how to reproduce it; run.py saves failing inputs to the corpus.
"""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzzing.bombs import BOMBS
from fuzzing.engine import fuzz, replay
from fuzzing.inputs import CORPUS, save_input
from fuzzing.targets import TARGETS

HERE = Path(__file__).resolve().parent
INPUTS = 200
SLOW = {
    "checkpoint": 60,
    "transfer": 40,
    "torchvision": 30,
    "training-log": 60,
    "prediction": 40,
    "fix": 60,
    "convert": 60,
}
"""Inputs of targets that take over 20 ms each."""


def test_every_target_has_a_corpus() -> None:
    assert sorted(folder.name for folder in CORPUS.iterdir()) == sorted(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_ends_in_results_or_in_errors_of_boxmask(name: str) -> None:
    assert replay(TARGETS[name]).inputs > 0


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_inputs_end_in_results_or_in_errors_of_boxmask(name: str, tmp_path: Path) -> None:
    summary = fuzz(TARGETS[name], SLOW.get(name, INPUTS), random_seed=0, shrink=False)
    for location, (files, trace) in summary.failures.items():
        path = save_input(files, tmp_path / name, "regression")
        pytest.fail(f"{location}\n{trace}\nreproduce: python tests/fuzz/run.py --replay {path}")
    assert summary.results > 0
    assert summary.errors + summary.results == summary.inputs


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_small_files_that_announce_much_take_neither_time_nor_memory() -> None:
    """At most 15 seconds of CPU time each, and 2 GiB, in a process of its own whose memory is limited."""
    command = [sys.executable, str(HERE / "run.py"), "--bombs"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(BOMBS)
