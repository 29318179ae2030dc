"""The machine, and the memory of a process."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import psutil
import pytest

from boxmask.benchmarking import memory
from boxmask.benchmarking.machine import OtherProcesses, describe_machine
from boxmask.benchmarking.memory import peak_memory


class Times(NamedTuple):
    """As psutil gives them on Linux."""

    user: float
    system: float
    idle: float
    guest: float


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cpu"]
    assert isinstance(machine["cores"], int)
    assert machine["cores"] >= 1
    assert {"system", "boxmask", "torch"} <= set(machine)


def test_the_peak_of_the_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = psutil.Process().memory_info().rss
    assert peak_memory() >= 0.9 * now
    monkeypatch.setattr(memory, "STATUS", tmp_path / "away")  # as on other systems than Linux
    assert peak_memory() > 0


def test_the_share_of_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([Times(100, 10, 50, 5), Times(104, 11, 55, 6)])
    own = iter([SimpleNamespace(user=1.0, system=1.0), SimpleNamespace(user=2.0, system=1.5)])
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(times))
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda process: next(own))
    others = OtherProcesses([os.getpid()])
    assert others.share() == pytest.approx((5 - 1.5) / 10)  # guests are part of users


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(0, 0, 0, 0))
    assert OtherProcesses([os.getpid()]).share() is None
