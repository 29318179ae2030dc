"""Ask the models of a forecast about unlabeled photos, and choose which to label next."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.data.photo_digest import photo_digest
from boxmask.errors import PhotoError
from boxmask.evaluation.detection.detect import PhotoDetector
from boxmask.forecasting.folder import ForecastFolder
from boxmask.forecasting.labels import Labels
from boxmask.forecasting.options import ForecastOptions
from boxmask.forecasting.parts import Part
from boxmask.forecasting.pool.choose import Chosen, ChosenPhoto, choose
from boxmask.forecasting.pool.disagreement import disagreement
from boxmask.forecasting.pool.features import photo_features
from boxmask.forecasting.pool.known_photos import KnownPhoto, KnownPhotos
from boxmask.messages import format_short_note, shorten_note
from boxmask.outputs import write_output
from boxmask.photos.find import find_photos
from boxmask.photos.read import load_photo
from boxmask.pipeline.model import Model
from boxmask.results.pictures import save_picture
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.progress import Report
from boxmask.visualization.contact_sheet import contact_sheet

MODELS = 4  # that are asked: those trained on the most photos
SHEET_PHOTOS = 48  # of the contact sheet, at most


def label_next(
    labels: Labels,
    pool: Path,
    recipe: Recipe,
    options: ForecastOptions,
    folder: ForecastFolder,
    report: Report,
) -> Chosen:
    """Choose photos of the pool, and write them as a list and a contact sheet.

    Photos that are labeled already are left out, and so are photos that cannot be read. What is known about a
    photo is kept, so that a stopped call goes on.

    Raises PhotoError if the pool has no unlabeled photo.
    """
    files = labels.photos.files.tolist()
    digests = {photo_digest(labels.photos.root / file) for file in files}
    unlabeled = [photo for photo in find_photos([pool]) if photo_digest(photo) not in digests]
    training = [labels.photos.root / file for file in labels.training_photos]
    parts = committee(labels.parts)
    models = [Run(folder.run(part.name)).model(recipe.device) for part in parts]
    known = KnownPhotos(folder.path / "pool.jsonl", [Run(folder.run(part.name)).path for part in parts])
    about = _ask(models, known, unlabeled, report, "asking the models", with_results=True)
    if not about:
        raise PhotoError(f"{pool}: there is no photo that can be read and is not labeled yet. Add some.")
    labeled = _ask(models, known, training, report, "looking at labeled photos", with_results=False)
    chosen = choose(
        list(about),
        np.array([photo.disagreement for photo in about.values()]),
        np.stack([photo.features for photo in about.values()]),
        np.stack([photo.features for photo in labeled.values()]),
        options.label_next,
        len(models),
    )
    _write_list(chosen, folder.label_next_file)
    _draw_sheet(chosen, folder.label_next_sheet)
    return chosen


def committee(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts whose models are asked: the largest, which are the most accurate."""
    return tuple(sorted(parts, key=lambda part: (-len(part.photos), part.draw))[:MODELS])


def _ask(
    models: Sequence[Model],
    known: KnownPhotos,
    photos: Sequence[Path],
    report: Report,
    title: str,
    *,
    with_results: bool,
) -> dict[Path, KnownPhoto]:
    """What the models know about each photo: how it looks and, with results, how much they disagree."""
    predictors = [_predictor(model) for model in models]
    found: dict[Path, KnownPhoto] = {}
    errors = []
    with report.reading_photos(title) as progress:
        for number, photo in enumerate(photos, start=1):
            try:
                if (about := known.find(photo, with_results)) is None:
                    results = [predict(photo) for predict in predictors] if with_results else []
                    about = KnownPhoto(disagreement(results), photo_features(models[0], photo))
                    known.add(photo, about, with_results)
                found[photo] = about
            except PhotoError as error:
                errors.append(str(error))
            progress(number, len(photos))
    for note in format_short_note("photos that cannot be read", errors):
        report.message(f"note: {shorten_note(note)}")
    return found


def _predictor(model: Any) -> Callable[[Path], Any]:
    """A function from a photo to the result of a model. Proposals of Selective Search are cached."""
    return PhotoDetector(model).detect if hasattr(model.config, "search") else model.predict


# ---------------------------------------------------------------- files


def _write_list(chosen: Chosen, path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rank", "photo", "disagreement", "distance"))
    for rank, one in enumerate(chosen.photos, start=1):
        writer.writerow((rank, one.photo, f"{one.disagreement:.4f}", f"{one.distance:.4f}"))
    with write_output(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")


def _draw_sheet(chosen: Chosen, path: Path) -> None:
    shown = chosen.photos[:SHEET_PHOTOS]
    captions = [_caption(rank, one) for rank, one in enumerate(shown, start=1)]
    save_picture(contact_sheet([load_photo(one.photo) for one in shown], captions=captions), path)


def _caption(rank: int, one: ChosenPhoto) -> str:
    return f"{rank}: {one.photo.name}"
