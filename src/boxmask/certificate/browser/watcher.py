"""A program that runs a browser until its standard input ends, which it does however its parent ends.

    python watcher.py PROGRAM FLAG ...

The browser gets an empty profile, which is removed. The program ends when the browser does, with its status.
It imports nothing of boxmask, so that it starts at once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading

SECONDS_TO_END = 10


def main(command: list[str]) -> int:
    """Run a browser. Returns its status."""
    with tempfile.TemporaryDirectory(prefix="boxmask-browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [command[0], f"--user-data-dir={profile}", *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=end_with_input, args=(process,), daemon=True).start()
        return process.wait()


def end_with_input(process: subprocess.Popen[bytes]) -> None:
    """End a process as soon as the standard input of this one ends."""
    sys.stdin.buffer.read()
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
