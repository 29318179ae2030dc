"""What is said of child processes that have ended on their own."""

from __future__ import annotations

import io
import signal

import pytest

from boxmask.benchmarking.ended_process import MAX_PRINTED, describe_end


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_process_was_out_of_memory() -> None:
    text = describe_end(-9, io.StringIO("Traceback"), "Close other programs.")
    assert text == "was killed, probably because the memory was full. Close other programs."


@pytest.mark.parametrize(("status", "end"), [(-signal.SIGSEGV, "signal SIGSEGV"), (1, "status 1")])
def test_other_ends_show_what_was_printed_and_no_remedy_for_memory(status: int, end: str) -> None:
    printed = io.StringIO("a\n" * MAX_PRINTED + "ValueError: the last line\n")
    text = describe_end(status, printed, "Close other programs.")
    assert text.startswith(f"ended unexpectedly ({end}). Please report")
    assert text.endswith("\nValueError: the last line")
    assert "Close other programs" not in text
    assert len(text) < MAX_PRINTED + 120


def test_a_silent_end_says_so() -> None:
    assert "printed nothing" in describe_end(7, io.StringIO(), "Close other programs.")
