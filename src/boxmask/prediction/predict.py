"""Run a model on many photos, and write the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxmask.atomic_write import remove_partial_files
from boxmask.errors import UsageError
from boxmask.photos.find import notes_on_skipped_files, search_photos
from boxmask.prediction.contract import Predictor, ResultWriter
from boxmask.prediction.journal import Journal, PhotoToPredict
from boxmask.prediction.photo_by_photo import ResultFiles, predict_in_order
from boxmask.progress import Progress
from boxmask.results.file_names import picture_names
from boxmask.results.output_folder import prepare_folder


@dataclass(frozen=True)
class Prediction:
    """The results of many photos.

    photos:  the photos that were read and whose files were written
    results: one per photo: `Detections` or `Classification`; for a segmenter, the share of each class by name
    files:   the files that were written
    errors:  one message per photo that could not be read or whose files could not be written
    summary: one line about the results, or nothing
    notes:   notes, for example on removed files of an earlier call, or on files that are not photos
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
    *,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Prediction:
    """Run a model on photos, folders and globs, one photo at a time, and write each result at once.

    settings: what the results depend on besides the photos, as JSON can hold it
    resume:   keep the files of an earlier call with the same settings, of photos that have not changed since

    A photo that cannot be read, or whose files cannot be written, becomes an error message, and the other
    photos are still processed. The files that an earlier call wrote into `out` are removed.
    Raises PhotoError for an input that matches no photo, UsageError if `out` is a file, if it would replace a
    file that boxmask did not write, or for other settings than those of the call to resume, and
    DiskFullError.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(
            f"{out}: expected a folder for the results, found a file. Choose another --out (in Python: out)."
        )
    found = search_photos(inputs)
    names = picture_names(found.photos, out)
    items = [PhotoToPredict(*pair) for pair in zip(found.photos, names, strict=True)]
    with Journal(out) as journal:
        entries = journal.finished(items, settings or {}) if resume else {}
        outputs = [file for item in items if item not in entries for file in writer.files(item.name)]
        outputs = list(dict.fromkeys([*outputs, *writer.shared_files(), *journal.outdated]))
        for folder in {file.parent for file in outputs} if resume else ():
            remove_partial_files(folder)  # of a call that was killed
        complete = [file for entry in entries.values() for file in journal.files(entry)]
        notes = notes_on_skipped_files(inputs) + found.notes()
        notes += prepare_folder(out, outputs, found.photos, complete) + writer.notes()
        journal.begin(settings or {}, entries.values())
        results = ResultFiles(out, writer, journal)
        predict_in_order(model, items, entries, results, progress)
    files = results.files + writer.finish()
    return Prediction(
        results.photos, writer.results, files, results.errors, writer.summary(), notes + writer.remarks()
    )
