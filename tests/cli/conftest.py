"""Fixtures that call the program in this process: a new process takes seconds to import torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

QUICK_FLAGS = (
    "--backbone test_resnet --weights none --size 64 --anchors preset --batch-size 2 --epochs 1 --workers 0"
)


@dataclass(frozen=True)
class Completed:
    """The exit status of a call of the program, and what it printed."""

    status: int
    out: str
    err: str


Boxmask = Callable[..., Completed]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current folder of the program."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def boxmask(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Boxmask:
    """Call the program with arguments, in the folder `here`."""
    from boxmask.cli.app import main

    def call(*arguments: object) -> Completed:
        monkeypatch.setattr(sys, "argv", ["boxmask", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Completed(end.value.code, out, err)

    return call


@pytest.fixture
def refused(boxmask: Boxmask, here: Path) -> Callable[..., str]:
    """Call the program with an exit status and arguments; it must fail with one message and write nothing.

    Gives the message.
    """

    def call(status: int, *arguments: object) -> str:
        before = sorted(here.rglob("*"))
        completed = boxmask(*arguments)
        assert completed.status == status, completed
        assert completed.out == ""
        assert "Traceback" not in completed.err
        assert completed.err.count("boxmask:") + completed.err.count("─ Error ─") == 1, completed.err
        assert sorted(here.rglob("*")) == before
        return completed.err

    return call


@pytest.fixture(scope="session")
def quick_flags() -> tuple[str, ...]:
    """The flags of a training of nine steps, which takes three seconds."""
    return (*QUICK_FLAGS.split(), "--num-validations", "1")
