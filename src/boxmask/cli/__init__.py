"""The command line: one short file a verb. torch is imported inside the verbs, so that --help is instant."""

from boxmask.cli.app import main

__all__ = ["main"]
