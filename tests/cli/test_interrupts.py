"""What a signal does while the program starts, and while a verb works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from boxmask import program_start
from boxmask.cli.interrupts import exit_on_signals, interrupt_on_signals
from boxmask.program_start import INTERRUPTED, STOPPED, end_program, handle_first_interrupts
from boxmask.stop_signals import STOP_SIGNALS

FORMS = {
    "python -m boxmask": ["-m", "boxmask"],
    "main": ["-c", "import sys; from boxmask.cli import main; sys.argv[0] = 'boxmask'; main()"],
}
AT_IMPORT = """
import os, signal, sys

class Finder:
    # Sends a signal when a module is imported, as Ctrl-C may come then.
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, Finder())
sys.argv = ["boxmask", "train", "nowhere"]
from boxmask.cli import main
main()
"""


@pytest.mark.parametrize("name", [number.name for number in STOP_SIGNALS])
@pytest.mark.parametrize(
    "module", ["boxmask.cli.app", "cyclopts", "rich", "boxmask.cli.train", "torch", "boxmask.training.train"]
)
def test_a_signal_during_an_import_is_one_line(module: str, name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", AT_IMPORT.format(module=module, name=name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (INTERRUPTED, "", STOPPED)


@pytest.mark.parametrize("module", ["boxmask.errors", "boxmask.wait_policy", "boxmask.cli", "signal"])
def test_the_program_handles_ctrl_c_from_its_first_import_on(module: str) -> None:
    program = AT_IMPORT.format(module=module, name="SIGINT").replace("import os, signal, sys", START)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (INTERRUPTED, "", STOPPED)


START = """
import os, sys
import signal as loaded
class signal:
    SIGINT = 2
del sys.modules["signal"]  # as in a new interpreter
sys.argv = ["/usr/bin/boxmask"]
"""


@pytest.mark.parametrize("name", ["/usr/bin/python", "/opt/app/train.py", "-c", ""])
def test_other_programs_keep_their_handler(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", [name])
    handle_first_interrupts()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    "command", [["-m", "mypackage"], ["-m", "mypackage", "boxmask"], ["-m"], ["-mboxmask"]]
)
def test_another_module_that_imports_boxmask_keeps_its_handler(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", ["-m"])  # as while the package of a module is imported
    monkeypatch.setattr(sys, "orig_argv", ["python", *command])
    handle_first_interrupts()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("name", ["-m", "/usr/bin/boxmask", "C:\\Scripts\\boxmask.exe"])
def test_the_program_sets_its_handler(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(sys, "argv", [name])
    monkeypatch.setattr(sys, "orig_argv", ["python", "-X", "dev", "-m", "boxmask", "train"])
    try:
        handle_first_interrupts()
        assert signal.getsignal(signal.SIGINT) is end_program
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with exit_on_signals():
        assert {signal.getsignal(number) for number in STOP_SIGNALS} == {end_program}
        interrupt_on_signals()
        for number in STOP_SIGNALS:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_outside_of_the_program_signals_stay_as_they_are() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    interrupt_on_signals()
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_another_thread_leaves_the_handlers_unchanged() -> None:
    before, seen = [signal.getsignal(number) for number in STOP_SIGNALS], list[object]()

    def work() -> None:
        with exit_on_signals():
            seen.extend(signal.getsignal(number) for number in STOP_SIGNALS)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_nohup_stays_in_force() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with exit_on_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_program_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, written = list[int](), list[bytes]()
    monkeypatch.setattr(program_start.os, "_exit", codes.append)
    monkeypatch.setattr(program_start.os, "write", lambda _, text: written.append(text))
    end_program(signal.SIGTERM, None)
    assert (codes, written) == ([INTERRUPTED], [STOPPED.encode()])


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_start_the_program(form: str) -> None:
    ended = subprocess.run(
        [sys.executable, *FORMS[form], "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.strip()
    assert os.linesep not in ended.stdout.strip()
