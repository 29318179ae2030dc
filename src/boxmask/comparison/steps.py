"""The steps of the work on one model. Each leaves files, and is skipped where they are complete."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from torch.utils.flop_counter import FlopCounterMode

from boxmask.comparison.forms import ONNX_FILES, onnx_file
from boxmask.comparison.jobs import Job
from boxmask.comparison.proposals import PROPOSALS, save_proposals
from boxmask.comparison.results import (
    ARRAYS,
    FOUND,
    Found,
    digest_of_photos,
    has_results,
    save_detections,
    save_label_map,
    stamp,
    write_found,
)
from boxmask.comparison.speed_file import SPEED
from boxmask.comparison.training_memory import record_memory
from boxmask.errors import BoxmaskError
from boxmask.evaluation.detection.detect import PhotoDetector
from boxmask.exporting.export import Int8Options, export_model
from boxmask.models.table import name_of
from boxmask.outputs import remove_outputs
from boxmask.runs.run import Run
from boxmask.runtime.models import ExportedModel
from boxmask.segmenters.table import SEGMENTERS
from boxmask.tasks.predictors import load_predictor
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train_or_resume import train_or_resume
from boxmask.types import SegmentationMap

Send = Callable[..., None]
SECONDS_BETWEEN_EVENTS = 0.5
TRAINING = "training"  # the step, and the stage of methods that have one only


class StepError(BoxmaskError):
    """A step failed without which a model can be compared."""


class TrainingReport(Report):
    """The display of a training whose progress is sent to the process that compares."""

    def __init__(self, send: Send) -> None:
        super().__init__(Console(file=sys.stderr))
        self._send, self._last = send, 0.0

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        """Send the progress of the stage."""
        super().step(clock, losses, images)
        self._send_soon(clock.progress, (self.seconds_before + clock.seconds) / 60)

    def advance(self, done: int, total: int, unit: str = "photos") -> None:
        """Send how many items are done."""
        super().advance(done, total, unit)
        if self.stage != TRAINING:  # there, photos are read or validated beside the steps
            self._send_soon(done / max(1, total))

    def _send_soon(self, share: float, minutes: float | None = None) -> None:
        if (now := time.monotonic()) - self._last > SECONDS_BETWEEN_EVENTS:
            self._last = now
            step = TRAINING if self.stage == TRAINING else f"{TRAINING} ({self.stage})"
            self._send(step=step, share=share, minutes=minutes)


# ---------------------------------------------------------------- training


def train_model(job: Job, data: Path, folder: Path, send: Send) -> bool:
    """Train, or continue a stopped training; True if it reached its end."""
    if job.recipe is None or Run(job.source).finished:
        return True
    send(step=TRAINING, share=0.0)
    report = TrainingReport(send)
    try:
        return train_or_resume(data, job.recipe, job.source, report)
    finally:
        record_memory(folder)


# ---------------------------------------------------------------- results


def find_objects(job: Job, photos: Sequence[Path], folder: Path, device: str, send: Send) -> None:
    """Run the model on the photos, and keep what it finds."""
    if has_results(job.weights_file, photos, folder):
        return
    stale = (FOUND, SPEED, PROPOSALS, *ONNX_FILES.values())  # of other weights
    remove_outputs(folder / name for name in stale)
    model: Any = load_predictor(job.source, device)
    name = model.name if isinstance(model, ExportedModel) else name_of(model)

    def progress(done: int) -> None:
        send(step="evaluating", share=done / len(photos))

    if name in SEGMENTERS:
        kind = "label maps"
        for number, label_map in enumerate(_segment(model, photos)):
            save_label_map(folder, number, label_map)
            progress(number + 1)
    else:
        kind = "detections"
        _detect(PhotoDetector(model), photos, folder, progress)
    class_names = tuple(model.config.class_names)
    weights = stamp(job.weights_file) if job.weights_file.is_file() else (0, 0)
    counts = count(model, photos[0])
    write_found(folder, Found(name, kind, class_names, weights, digest_of_photos(photos), *counts))


def _detect(
    detector: PhotoDetector, photos: Sequence[Path], folder: Path, progress: Callable[[int], None]
) -> None:
    """Keep the detections, and the proposals that they are made from: an RPN is run once more for these."""
    detections, proposals = [], []
    for photo in photos:
        detections.append(detector.detect(photo))
        if detector.makes_proposals:
            proposals.append(detector.propose(photo))
        progress(len(detections))
    if proposals:
        save_proposals(folder / PROPOSALS, proposals)
    save_detections(folder / ARRAYS, detections)


def _segment(model: Any, photos: Sequence[Path]) -> Iterator[SegmentationMap]:
    return (model.predict(photo) for photo in photos)


def count(model: Any, photo: Path) -> tuple[int | None, int | None]:
    """The number of parameters, and the multiply-adds of convolutions and matrix products in one photo.

    None for exported files, which do not tell.
    """
    if isinstance(model, ExportedModel):
        return None, None
    is_segmenter = name_of(model) in SEGMENTERS
    with FlopCounterMode(display=False) as counter:
        model.predict(photo) if is_segmenter else PhotoDetector(model).detect(photo)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return parameters, int(counter.get_total_flops()) // 2


# ---------------------------------------------------------------- exported forms


def export_forms(job: Job, data: Path, folder: Path, forms: Sequence[str], send: Send) -> None:
    """Export the forms whose speed is measured. Raises StepError if the model cannot be exported."""
    for form in () if job.is_onnx else forms:
        if form not in ONNX_FILES or onnx_file(folder, form).is_file():
            continue
        send(step=f"exporting ({form})", share=None)
        options = Int8Options(data) if form == "int8" else None
        try:
            export_model(job.source, onnx_file(folder, form), int8=options)
        except BoxmaskError as error:
            raise StepError(f"{form}: {error}") from error
