"""The command line: one short file per verb. Verbs import torch when they run, so that --help is instant."""

from boxmask.cli.interrupts import ExitOnSignals

__all__ = ["main"]


def main() -> None:
    """Run the program. Signals end it without a traceback, also while it imports."""
    with ExitOnSignals():
        from boxmask.cli.app import main as run

        run()
