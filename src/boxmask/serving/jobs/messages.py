"""What the process of a job has printed: its last lines, and its error."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from boxmask.messages import printable

MAX_BYTES = 16_384
MAX_LINES, MAX_REASON = 40, 2000
ERROR = "boxmask: "  # how the program begins an error
STOPPED = "boxmask: stopped."


def last_lines(file: Path) -> list[str]:
    """The last lines of a file; none if there is no such file."""
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(0, size - MAX_BYTES))
            text = opened.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    lines = printable(text.replace("\r", "\n")).splitlines()
    if size > MAX_BYTES:
        lines = lines[1:]  # the first one is cut
    return [line for line in lines if line.strip()][-MAX_LINES:]


def error_of(file: Path) -> str:
    """The error that the program has ended with; "" if it printed none."""
    lines = last_lines(file)
    starts = [number for number, line in enumerate(lines) if line.startswith(ERROR)]
    if not starts or lines[starts[-1]].startswith(STOPPED):
        return ""
    return "\n".join(lines[starts[-1] :]).removeprefix(ERROR)[:MAX_REASON]


def reason_of(status: int | None, file: Path) -> str:
    """Why a process has failed, in sentences.

    status: its exit code, or minus the signal that killed it; None if that is unknown
    """
    if status is not None and status < 0:
        return f"its process was killed ({_signal_name(-status)}){_hint(-status)}."
    if error := error_of(file):
        return error
    if status is None:
        return "its process ended while no server watched it. It can be resumed."
    last = last_lines(file)[-1:] or ["it printed nothing"]
    return f"its process ended unexpectedly (exit code {status}): {last[0][:500]}"


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _hint(number: int) -> str:
    """SIGKILL is what Linux sends when memory runs out."""
    if number != getattr(signal, "SIGKILL", None):
        return ""
    return ", perhaps for lack of memory: close other programs, or choose a smaller size"
