"""boxmask compare, as far as it is not in tests/comparison: the flags and the display."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.live import Live

from boxmask.cli.app import main
from boxmask.cli.compare_display import TerminalDisplay
from boxmask.comparison.contract import FailedModel


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["boxmask", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--models", "ssd,unet"), "these models find different things"),
        (("--models", "ssd", "--forms", "tflite"), "expected torch, onnx, int8"),
        (("--detections", "found.json"), "expected NAME=FILE"),
        (("--model", "ssd"), "Did you mean --models?"),
    ],
)
def test_wrong_usage(
    demo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert exit_code(monkeypatch, "compare", demo, "--out", tmp_path / "out", *arguments) != 0
    assert message in capsys.readouterr().err


def test_outside_a_terminal_each_step_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(stderr=True, force_terminal=False, width=200)
    display = TerminalDisplay(console, Live(console=Console(quiet=True), auto_refresh=False))
    display.begin(["photos: 3 train"], "AP")
    display.working("ssd (model 1 of 2)", "training", 0.1, "9.9 minutes of training left")
    display.working("ssd (model 1 of 2)", "training", 0.2, "9.8 minutes of training left")
    display.working("ssd (model 1 of 2)", "evaluating", 0.5, "")
    display.show((), (FailedModel("ssd", "out of memory"),))
    assert capsys.readouterr().err.splitlines() == [
        "photos: 3 train",
        "ssd (model 1 of 2): training, 10%, 9.9 minutes of training left",
        "ssd (model 1 of 2): evaluating, 50%",
        "ssd failed: out of memory",
    ]
