import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from boxmask.stop_signals import STOP_SIGNALS
from boxmask.training.signals import (
    CHILD_SIGNAL,
    StopRequest,
    StopRequested,
    hold_back_signals,
    ignore_worker_errors,
    prepare_worker,
    stop_on_signals,
)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_requests_a_stop(number: signal.Signals) -> None:
    with stop_on_signals(stop := StopRequest()):
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested


def test_the_second_signal_changes_nothing_and_the_third_stops_at_once() -> None:
    with stop_on_signals(stop := StopRequest()):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_check_raises_once_a_stop_is_requested() -> None:
    stop = StopRequest()
    stop.check()
    stop.handle_signal(signal.SIGTERM, None)
    with pytest.raises(StopRequested):
        stop.check()


def test_the_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signals(StopRequest()):
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_leaves_the_handlers_unchanged() -> None:
    seen: list[tuple[StopRequest, object]] = []

    def work() -> None:
        with stop_on_signals(stop := StopRequest()):
            seen.append((stop, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen[0][1] is before
    assert not seen[0][0].requested


def test_every_system_has_its_stop_signals() -> None:
    names = {"SIGINT", "SIGBREAK", "SIGTERM"} if sys.platform == "win32" else {"SIGINT", "SIGTERM", "SIGHUP"}
    assert {number.name for number in STOP_SIGNALS} == names


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs SIGHUP")
def test_nohup_keeps_a_training_alive() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals(stop := StopRequest()):
            signal.raise_signal(signal.SIGHUP)
            assert not stop.requested
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_workers_ignore_the_stop_signals() -> None:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        prepare_worker()
        assert {signal.getsignal(number) for number in STOP_SIGNALS} == {signal.SIG_IGN}
        for number in STOP_SIGNALS:
            signal.raise_signal(number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signal masks")
def test_a_process_that_is_started_with_signals_held_back_never_receives_them() -> None:
    """A worker would otherwise die of a signal that comes before its first line of Python."""
    program = "import os, signal; os.kill(os.getpid(), signal.SIGTERM); print('alive')"
    with hold_back_signals():
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.communicate(timeout=60)[0] == "alive\n"
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signal masks")
def test_a_signal_that_is_held_back_arrives_at_the_end_of_the_block() -> None:
    with stop_on_signals(stop := StopRequest()):
        with hold_back_signals():
            signal.raise_signal(signal.SIGTERM)
            assert not stop.requested
        assert stop.requested


@pytest.mark.skipif(CHILD_SIGNAL is None, reason="needs SIGCHLD")
def test_the_errors_of_ended_workers_are_held_back() -> None:
    def handler(number: int, frame: object) -> None:
        raise RuntimeError("DataLoader worker is killed")

    assert CHILD_SIGNAL is not None
    before = signal.signal(CHILD_SIGNAL, handler)
    try:
        with ignore_worker_errors():
            signal.raise_signal(CHILD_SIGNAL)
        with pytest.raises(RuntimeError):
            signal.raise_signal(CHILD_SIGNAL)
    finally:
        signal.signal(CHILD_SIGNAL, before)


ORPHAN = """
import multiprocessing, os, signal, time
from boxmask.training.signals import prepare_worker

def work(pipe):
    prepare_worker()
    pipe.send(os.getpid())
    time.sleep(600)

context = multiprocessing.get_context("fork")
ours, theirs = context.Pipe()
for _ in range(2):
    context.Process(target=work, args=(theirs,)).start()
print(ours.recv(), ours.recv(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and fork")
def test_workers_end_when_the_training_process_is_killed() -> None:
    ended = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, timeout=120)
    workers = [int(pid) for pid in ended.stdout.split()]
    assert len(workers) == 2, ended.stderr
    deadline = time.monotonic() + 60
    while any(is_running(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie, which nobody may collect in a container."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
