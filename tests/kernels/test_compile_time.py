"""The seconds and the notice of a compilation."""

from __future__ import annotations

from numba import njit

from boxmask.kernels.compile_time import HAS_EVENTS, compile_seconds, notice_compilation


def test_numba_announces_compilations() -> None:
    """Without its events, compiling would count as work."""
    assert HAS_EVENTS


def test_compiling_is_timed_and_noticed_once() -> None:
    notices: list[float] = []

    @njit
    def double(number: float) -> float:
        return number * 2

    @njit
    def triple(number: float) -> float:
        return number * 3

    before = compile_seconds()
    with notice_compilation(lambda: notices.append(compile_seconds())):
        assert double(2.0) == 4
        assert triple(2.0) == 6
    assert notices == [before]
    after = compile_seconds()
    assert after > before
    with notice_compilation(lambda: notices.append(0.0)):
        assert double(3.0) == 6  # compiled already
    assert (len(notices), compile_seconds()) == (1, after)
    double(3)  # for another type, outside of any block
    assert len(notices) == 1
