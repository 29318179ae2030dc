"""The command line: one short file per verb. Verbs import torch when they run, so that --help is instant."""

from boxmask.cli.app import main

__all__ = ["main"]
