import signal
import threading

import pytest

from boxmask.training.signals import StopRequest, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_a_stop(number: signal.Signals) -> None:
    with stop_on_signals(stop := StopRequest()):
        assert not stop.asked
        signal.raise_signal(number)
        assert stop.asked


def test_who_asks_twice_does_not_wait() -> None:
    with stop_on_signals(stop := StopRequest()):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop.asked


def test_the_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signals(StopRequest()):
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_leaves_the_signals_alone() -> None:
    seen: list[tuple[StopRequest, object]] = []

    def work() -> None:
        with stop_on_signals(stop := StopRequest()):
            seen.append((stop, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen[0][1] is before
    assert not seen[0][0].asked
