"""The interfaces of a prediction: of what finds results, and of what writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeVar

from boxmask.visualization.style import RGBImage

ResultT = TypeVar("ResultT", contravariant=True)


class Predictor(Protocol):
    """A detector, a segmenter or a classifier."""

    def predict(self, photos: Any, /) -> Any:
        """One photo -> its result."""


class ResultWriter(Protocol[ResultT]):
    """Writes the results of one kind of model into a folder."""

    @property
    def results(self) -> list[Any]:
        """What is kept of each written result, in the order of writing."""

    def files(self, name: str, result: ResultT | None = None) -> list[Path]:
        """The files that `write` writes for the photo called `name`.

        Without the result, those that are written whatever it is.
        """

    def shared_files(self) -> list[Path]:
        """The files that cover all photos."""

    def write(self, name: str, photo: Path, pixels: RGBImage, result: ResultT) -> None:
        """Write the files of one photo; `pixels` is the photo, decoded."""

    def restore(self, photo: Path, entry: dict[str, Any]) -> None:
        """Take the result of a photo whose files an earlier call has written.

        Raises ValueError or KeyError for an entry that `last_entry` did not return.
        """

    def last_entry(self) -> dict[str, Any]:
        """The last result, as JSON can hold it, for `restore`."""

    def finish(self) -> list[Path]:
        """Write the files that cover all photos; returns those that were written."""

    def summary(self) -> str:
        """One line about the results, or nothing."""

    def notes(self) -> tuple[str, ...]:
        """Notes on the pictures, for example on characters that no font has."""

    def remarks(self) -> tuple[str, ...]:
        """Notes on the results, for example that nothing was found."""
