"""A prediction that is stopped by a signal, in the real program, and resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.prediction.journal import JOURNAL
from boxmask.program_start import INTERRUPTED

TIMEOUT = 90.0  # seconds, on a busy machine
PHOTOS = 60


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_prediction_is_resumed(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path, number: int
) -> None:
    for copy in range(PHOTOS):
        name = f"test-0002{copy % 4}.jpg" if copy % 4 else "test-00020.jpg"
        (here / "photos").mkdir(exist_ok=True)
        shutil.copy(demo / "images" / name, here / "photos" / f"{copy}.jpg")
    arguments = ["predict", str(trained), "photos", "--out", "found", "--save", "jpg,coco,csv"]
    program = f"import sys; from boxmask.cli import main; sys.argv = {['boxmask', *arguments]!r}; main()"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=environment
    )
    deadline = time.monotonic() + TIMEOUT
    while finished_photos(here / "found") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    error = process.communicate(timeout=TIMEOUT)[1]
    if number == signal.SIGTERM:
        assert process.returncode == INTERRUPTED
        assert error == "stopped. To continue, run the same command with --resume.\n"
        assert not list((here / "found").glob(".boxmask-*.partial"))
    assert 3 <= (before := finished_photos(here / "found")) < PHOTOS
    assert not (here / "found" / "detections.json").exists()

    kept = here / "found" / "0.jpg"
    time_before = kept.stat().st_mtime_ns
    assert boxmask(*arguments, "--resume").out.startswith(f"{PHOTOS} photos, ")
    assert kept.stat().st_mtime_ns == time_before
    assert finished_photos(here / "found") == PHOTOS > before
    boxmask(*arguments[:4], "whole", *arguments[5:])
    for name in ("detections.json", "detections.csv", "0.jpg", "59.jpg"):
        assert (here / "found" / name).read_bytes() == (here / "whole" / name).read_bytes()


def finished_photos(folder: Path) -> int:
    journal = folder / JOURNAL
    lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
    return sum("photo" in json.loads(line) for line in lines)
