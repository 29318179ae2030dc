"""A comparison that is stopped at any moment ends with the same table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

PROGRAM = """
import sys
from pathlib import Path
from boxmask.comparison.compare import compare_models
from boxmask.comparison.options import CompareOptions
from boxmask.comparison.shared_recipe import SharedRecipe

recipe = SharedRecipe(
    backbone="test_resnet", weights="none", size=64, anchors="preset", batch_size=2, epochs=2, workers=0,
    num_validations=1,
)
folds = int(sys.argv[3]) or None
options = CompareOptions(("ssd",), recipe=recipe, forms=("torch",), seconds=0.1, folds=folds)
compare_models(Path(sys.argv[1]), options, Path(sys.argv[2]))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs the signals of POSIX"),
]


def start(demo: Path, out: Path, folds: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, str(demo), str(out), str(folds)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def table(out: Path) -> Any:
    """The result, without times and memory, which differ between two trainings."""
    content = json.loads((out / "comparison.json").read_text())
    model = content["models"][0]
    for name in ("source", "speeds"):
        del model[name]
    for name in ("minutes", "images_per_second", "peak_memory_mb"):
        del model["training"][name]
    return content


@pytest.fixture(scope="module")
def expected(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("expected") / "out"
    assert start(demo, out).wait() == 0
    return table(out)


def kill_worker(process: subprocess.Popen[bytes]) -> None:
    """Kill the process that trains, and wait for the one that compares."""
    for child in psutil.Process(process.pid).children():
        child.kill()
    assert process.wait() == 0  # the failure is in the table


def send(number: int) -> Callable[[subprocess.Popen[bytes]], None]:
    def stop(process: subprocess.Popen[bytes]) -> None:
        os.kill(process.pid, number)
        process.wait()

    return stop


def stop_at(
    process: subprocess.Popen[bytes], moment: Path, stop: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    """Stop the program as soon as a file is there."""
    while process.poll() is None and not moment.exists():
        time.sleep(0.01)
    stop(process)


@pytest.mark.parametrize(
    ("moment", "stop"),
    [
        pytest.param("runs/ssd-seed-0/.lock", send(signal.SIGKILL), marks=pytest.mark.chaos),
        ("runs/ssd-seed-0/recipe.json", send(signal.SIGINT)),
        ("runs/ssd-seed-0/log.jsonl", send(signal.SIGKILL)),
        ("runs/ssd-seed-0/recipe.json", kill_worker),
        pytest.param("models/ssd-seed-0/training.json", send(signal.SIGTERM), marks=pytest.mark.chaos),
        ("models/ssd-seed-0/found.json", send(signal.SIGKILL)),
    ],
)
def test_the_same_command_finishes_with_the_same_table(
    demo: Path,
    tmp_path: Path,
    expected: Any,
    moment: str,
    stop: Callable[[subprocess.Popen[bytes]], None],
) -> None:
    out = tmp_path / "out"
    stop_at(start(demo, out), out / moment, stop)
    assert start(demo, out).wait() == 0
    assert table(out) == expected


@pytest.mark.chaos
def test_folds_finish_with_the_same_table(demo: Path, tmp_path: Path) -> None:
    assert start(demo, tmp_path / "expected", 2).wait() == 0
    out = tmp_path / "out"
    for moment in ("folds/fold-1.json", "runs/ssd-seed-0/fold-2/recipe.json"):
        stop_at(start(demo, out, 2), out / moment, send(signal.SIGKILL))
    assert start(demo, out, 2).wait() == 0
    assert table(out) == table(tmp_path / "expected")
