from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from boxmask import __version__
from boxmask.cli import app, main
from boxmask.models.table import MODELS

HEAVY = ("torch", "torchvision", "timm", "numba", "matplotlib", "supervision", "accelerate", "hotcoco", "PIL")
PROGRAM = """
import sys
from boxmask.cli import main
sys.argv = ["boxmask", *{arguments!r}]
try:
    main()
finally:
    print("LOADED", *sorted(set(sys.modules) & set({heavy!r})))
"""


def python(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["evaluate", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    lines = python(PROGRAM.format(arguments=arguments, heavy=HEAVY))
    assert lines[-1] == "LOADED"
    assert len(lines) > 1


def test_import_boxmask_loads_nothing_heavy() -> None:
    assert python(f"import sys, boxmask; print(*set(sys.modules) & set({HEAVY!r}))") == [""]


@pytest.mark.parametrize("verb", list(app.VERBS))
def test_every_verb_is_listed_and_has_a_help_page(boxmask: Callable[..., Any], verb: str) -> None:
    assert verb in boxmask("--help").out
    page = boxmask(verb, "--help")
    assert page.status == 0
    assert f"Usage: boxmask {verb}" in page.out
    assert page.err == ""


def test_the_help_of_train_names_every_model(boxmask: Callable[..., Any]) -> None:
    words = boxmask("train", "--help").out.replace(",", " ").replace(";", " ").replace(".", " ").split()
    assert [model for model in MODELS if model not in words] == []


def test_the_version_is_printed(boxmask: Callable[..., Any]) -> None:
    assert boxmask("--version").out.strip() == __version__


def test_an_unknown_verb_is_wrong_usage(refused: Callable[..., str]) -> None:
    assert "frobnicate" in refused(2, "frobnicate")


@pytest.mark.parametrize("verb", ["train", "evaluate", "predict"])
def test_an_unknown_flag_is_wrong_usage(refused: Callable[..., str], verb: str) -> None:
    assert "--frob" in refused(2, verb, "one", "two", "--frob", "1")


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["train"], "DATA"),
        (["train", "--resume"], "--out RUN"),
        (["evaluate"], "RUN"),
        (["evaluate", "run"], "DATA"),
        (["predict"], "RUN"),
        (["predict", "run"], "PHOTOS"),
    ],
)
def test_a_missing_argument_is_wrong_usage(
    refused: Callable[..., str], arguments: list[str], missing: str
) -> None:
    assert missing in refused(2, *arguments)


def verb_that_raises(error: BaseException) -> Callable[..., None]:
    def verb(*_: object, **__: object) -> None:
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "boxmask: stopped.\n"),
        (OSError(28, "No space left on device", "run/x"), 1, "No space left on device: 'run/x'\n"),
    ],
)
def test_interrupts_and_system_errors_are_one_line(
    boxmask: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    message: str,
) -> None:
    monkeypatch.setattr("boxmask.training.train.train", verb_that_raises(error))
    completed = boxmask("train", "data")
    assert (completed.status, completed.out) == (status, "")
    assert completed.err.endswith(message)
    assert completed.err.count("\n") == 1


def test_a_bug_of_boxmask_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    monkeypatch.setattr("boxmask.training.train.train", verb_that_raises(ZeroDivisionError()))
    monkeypatch.setattr(sys, "argv", ["boxmask", "train", "data"])
    with pytest.raises(ZeroDivisionError):
        app.main()


def test_a_closed_pipe_ends_the_program_quietly(trained: Path, demo: Path) -> None:
    arguments = ["boxmask", "evaluate", str(trained), str(demo), "--json", "-"]
    program = f"import sys; from boxmask.cli import main; sys.argv = {arguments!r}; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "euc-kr"])
def test_characters_that_the_terminal_lacks_are_printed_as_escapes(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    stdout = TextIOWrapper(BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "argv", ["boxmask", "--version"])
    with pytest.raises(SystemExit):
        main()
    stdout.write("浣熊🦝\udcff")
    stdout.flush()
    assert b"\\U0001f99d\\udcff" in stdout.buffer.getvalue()  # type: ignore[attr-defined]
