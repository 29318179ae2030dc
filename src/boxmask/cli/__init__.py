"""The command line: one short file per verb. Verbs import torch when they run, so that --help is instant."""

from boxmask.cli.interrupts import exit_on_signals

__all__ = ["main"]


def main() -> None:
    """Run the program. Signals end it without a traceback, even during imports."""
    with exit_on_signals():
        from boxmask.cli.app import main as run

        run()
