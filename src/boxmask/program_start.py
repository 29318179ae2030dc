"""The first lines of the program `boxmask`: from here on, Ctrl-C ends it without a traceback.

This file imports next to nothing, so that it takes effect at once. In any other program that imports boxmask,
it does nothing.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130  # the exit code of a program that a signal has stopped, as in shells after Ctrl-C
STOPPED = "boxmask: stopped.\n"
PROGRAM_NAMES = ("boxmask", "boxmask.exe", "boxmask-script.py")


def end_program(number: int, frame: object) -> None:
    """End the process at once: the signal handler while the program starts.

    An exception would not do. Raised within an import, it may be printed or swallowed.
    """
    if (claims := sys.modules.get("boxmask.runs.claim")) is not None:
        claims.abandon_claims()
    try:
        os.write(2, STOPPED.encode())
    finally:
        os._exit(INTERRUPTED)


def handle_first_interrupts() -> None:
    """Let Ctrl-C end the process at once, if it is the program `boxmask`."""
    if not _is_program():
        return
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, end_program)
    except KeyboardInterrupt:
        end_program(2, None)
    except ValueError:  # not in the main thread
        pass


def _is_program() -> bool:
    """Whether this process is the program `boxmask`, or `python -m boxmask`."""
    name = (getattr(sys, "argv", None) or [""])[0].replace("\\", "/").rsplit("/", 1)[-1]
    if name != "-m":
        return name in PROGRAM_NAMES
    # Python is still looking for the module to run. It may be another one, whose package imports boxmask.
    module = sys.orig_argv.index("-m") + 1 if "-m" in sys.orig_argv else len(sys.orig_argv)
    return sys.orig_argv[module : module + 1] == ["boxmask"]
