"""The process of one model, seen from the one that compares."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.comparison import processes
from boxmask.comparison.processes import STOPPING, _events, run_worker

WORKER = """
import sys

sys.stdin.readline()
print('{"step": "training"}', flush=True)
sys.stdin.read()
"""


def test_an_event_that_a_kill_has_cut_is_passed_over() -> None:
    process: Any = SimpleNamespace(
        stdin=io.StringIO(), stdout=io.StringIO('{"step": "training"}\n{"step": "eval')
    )
    assert list(_events(process, {})) == [{"step": "training"}]


def test_ctrl_c_is_confirmed_before_the_training_is_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program, pipe = [sys.executable, "-c", WORKER], subprocess.PIPE
    start = lambda log: subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True)  # noqa: E731
    monkeypatch.setattr(processes, "_start", start)
    steps: list[str] = []

    def interrupt(event: Mapping[str, Any]) -> None:
        steps.append(event["step"])
        if event["step"] == "training":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_worker({}, tmp_path, interrupt)
    assert steps == ["training", STOPPING]
