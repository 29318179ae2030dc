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
options = CompareOptions(("ssd",), recipe=recipe, forms=("torch",), seconds=0.1)
compare_models(Path(sys.argv[1]), options, Path(sys.argv[2]))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs the signals of POSIX"),
]


def start(demo: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(demo), str(out)], stderr=subprocess.DEVNULL)


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
    process = start(demo, out)
    while process.poll() is None and not (out / moment).exists():
        time.sleep(0.01)
    stop(process)
    assert start(demo, out).wait() == 0
    assert table(out) == expected
