"""What a comparison shows while it works. This one shows nothing; the command line has its own."""

from __future__ import annotations

from collections.abc import Sequence

from boxmask.comparison.contract import ComparedModel, FailedModel


class Display:
    """Takes the news of a comparison."""

    def reading(self, done: int, total: int) -> None:
        """So many photos are examined."""

    def begin(self, lines: Sequence[str], metric: str) -> None:
        """The work begins: what will be done, and how long it takes."""

    def working(self, name: str, step: str, share: float | None, left: str) -> None:
        """A model is in a step, of which this share is done, and this time of training is left, if known."""

    def note(self, text: str) -> None:
        """A remark, for example that a model cannot be exported."""

    def show(self, models: Sequence[ComparedModel], failed: Sequence[FailedModel]) -> None:
        """A further model is done, or has failed."""
