"""What to say of a child process that has ended on its own."""

from __future__ import annotations

import signal
from typing import IO

MAX_PRINTED = 2000  # characters of what the process has printed, from the end

_SIGNALS = {-number: number.name for number in signal.Signals}


def describe_end(status: int, printed: IO[str], remedy: str) -> str:
    """A sentence about a process, to follow its name: how it ended, and what to do.

        f"the process of {model} {describe_end(status, log, 'Close other programs.')}"

    status:  its exit code; negative for a signal, as in `subprocess`
    printed: the file that its messages went to
    remedy:  a sentence that tells how to use less memory
    """
    name = _SIGNALS.get(status)
    if name == "SIGKILL":
        return f"was killed, probably because the memory was full. {remedy}"
    end = f"signal {name}" if name else f"status {status}"
    printed.seek(0)
    last = printed.read().strip()[-MAX_PRINTED:]
    if not last:
        return f"ended unexpectedly ({end}) and printed nothing. Please report this as a fault of boxmask."
    return f"ended unexpectedly ({end}). Please report this as a fault of boxmask, with these lines:\n{last}"
