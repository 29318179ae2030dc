"""Run a model on many photos, and write the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from boxmask.errors import DiskFullError, OutputError, PhotoError, UsageError
from boxmask.outputs import remove_outputs
from boxmask.photos.find import find_photos, notes_on_skipped_files
from boxmask.photos.read import load_photo
from boxmask.progress import Progress
from boxmask.results.file_names import picture_names
from boxmask.results.output_folder import prepare_folder
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

    def files(self, name: str) -> list[Path]:
        """The files that `write` writes for the photo called `name`."""

    def shared_files(self) -> list[Path]:
        """The files that cover all photos."""

    def write(self, name: str, photo: Path, pixels: RGBImage, result: ResultT) -> None:
        """Write the files of one photo; `pixels` is the photo, decoded."""

    def finish(self) -> list[Path]:
        """Write the files that cover all photos; returns those that were written."""

    def summary(self) -> str:
        """One line about the results, or nothing."""

    def notes(self) -> tuple[str, ...]:
        """Remarks about the pictures, for example on characters that no font has."""


@dataclass(frozen=True)
class Prediction:
    """The results of many photos.

    photos:  the photos that were read and whose files were written
    results: one per photo: `Detections` or `Classification`; for a segmenter, the share of each class by name
    files:   the files that were written
    errors:  one message per photo that could not be read or whose files could not be written
    summary: one line about the results, or nothing
    notes:   remarks, for example on removed files of an earlier call, or on files that are not photos
    """

    photos: list[Path]
    results: list[Any]
    files: list[Path]
    errors: list[str]
    summary: str
    notes: tuple[str, ...] = ()


def predict_photos(
    model: Predictor,
    inputs: Sequence[str | Path],
    out: Path,
    writer: ResultWriter[Any],
    progress: Progress | None = None,
) -> Prediction:
    """Run a model on photos, folders and globs, one photo at a time, and write each result at once.

    A photo that cannot be read, or whose files cannot be written, becomes an error message, and the other
    photos are still processed. The files that an earlier call wrote into `out` are removed.
    Raises PhotoError for an input that matches no photo, UsageError if `out` is a file or if it
    would replace a file that boxmask did not write, and DiskFullError.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file. Give a folder with --out.")
    photos = find_photos(inputs)
    names = picture_names(photos, out)
    outputs = [file for name in names for file in writer.files(name)] + writer.shared_files()
    notes = notes_on_skipped_files(inputs) + prepare_folder(out, outputs, photos) + writer.notes()
    done: list[Path] = []
    files: list[Path] = []
    errors: list[str] = []
    for number, (photo, name) in enumerate(zip(photos, names, strict=True), start=1):
        try:
            pixels = load_photo(photo)
            writer.write(name, photo, pixels, model.predict(pixels))
        except (PhotoError, OutputError, UsageError) as error:
            remove_outputs(writer.files(name))
            if isinstance(error, DiskFullError):
                raise
            errors.append(str(error))
        else:
            done.append(photo)
            files.extend(writer.files(name))
        if progress is not None:
            progress(number, len(photos))
    return Prediction(done, writer.results, files + writer.finish(), errors, writer.summary(), notes)
