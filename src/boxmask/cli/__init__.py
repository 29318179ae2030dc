"""The command line: one short file per verb. Verbs import torch when they run, so that --help is instant."""

from boxmask.cli.interrupts import exit_on_signals

__all__ = ["main"]


def main() -> None:
    """Run the program. From its first import on, Ctrl-C ends it without a traceback."""
    with exit_on_signals():
        from boxmask.cli.app import main as run

        run()
