"""The program in this process: a process of its own would import torch for seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

QUICK = (
    *("--backbone", "test_resnet", "--weights", "none", "--size", "64", "--batch-size", "2"),
    *("--epochs", "1", "--workers", "0", "--num-validations", "1"),
)


@dataclass(frozen=True)
class Ended:
    """How a call of the program ended, and what it printed."""

    status: int
    out: str
    err: str


Boxmask = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the program runs in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def boxmask(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Boxmask:
    """Call the program with these arguments, in the folder `here`."""
    from boxmask.cli.app import main

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["boxmask", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, out, err)

    return call


@pytest.fixture
def refused(boxmask: Boxmask, here: Path) -> Callable[..., str]:
    """Call the program, which must fail with one message and write nothing; gives the message."""

    def call(status: int, *arguments: object) -> str:
        before = sorted(here.rglob("*"))
        ended = boxmask(*arguments)
        assert ended.status == status, ended
        assert ended.out == ""
        assert "Traceback" not in ended.err
        assert ended.err.count("boxmask:") + ended.err.count("─ Error ─") == 1, ended.err
        assert sorted(here.rglob("*")) == before
        return ended.err

    return call


@pytest.fixture(scope="session")
def quick_flags() -> tuple[str, ...]:
    """The flags of a training of nine steps that takes three seconds."""
    return QUICK
