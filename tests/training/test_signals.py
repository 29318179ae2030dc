import signal
import sys
import threading

import pytest

from boxmask.training.signals import (
    KEYBOARD_SIGNALS,
    STOP_SIGNALS,
    StopRequest,
    ignore_keyboard_signals,
    stop_on_signals,
)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_requests_a_stop(number: signal.Signals) -> None:
    with stop_on_signals(stop := StopRequest()):
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested


def test_a_second_signal_stops_at_once() -> None:
    with stop_on_signals(stop := StopRequest()):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop.requested


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


def test_windows_has_ctrl_break_besides_ctrl_c() -> None:
    names = {"SIGINT", "SIGBREAK"} if sys.platform == "win32" else {"SIGINT"}
    assert {number.name for number in KEYBOARD_SIGNALS} == names
    assert {number.name for number in STOP_SIGNALS} == {*names, "SIGTERM"}


def test_workers_ignore_the_keyboard() -> None:
    before = {number: signal.getsignal(number) for number in KEYBOARD_SIGNALS}
    try:
        ignore_keyboard_signals()
        for number in KEYBOARD_SIGNALS:
            signal.raise_signal(number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
