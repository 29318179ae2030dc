"""Quantize a file, with as few layers in 32 bits as the allowed loss of accuracy needs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from boxmask.errors import ExportError, UsageError
from boxmask.evaluation.contract import Interval
from boxmask.exporting.int8.accuracy import Measure
from boxmask.exporting.int8.layers import Layer, find_layers
from boxmask.exporting.int8.noise import rank_by_noise
from boxmask.exporting.int8.photos import MANY, CalibrationPhotos, find_calibration_photos
from boxmask.exporting.int8.predictor import Predictor
from boxmask.exporting.int8.quantize import quantize, tensors_to_measure
from boxmask.exporting.int8.ranges import Scale, measure_scales
from boxmask.models.table import AnyModel
from boxmask.options import option
from boxmask.progress import Progress

MAX_LOSS = {"AP": 0.005, "mask_AP": 0.005, "mIoU": 0.01, "accuracy": 0.01}
NOISE_PHOTOS = 4


@dataclass(frozen=True)
class Loss:
    """A metric in 32 and in 8 bits, on the same photos.

    interval: of the loss, at 95 %; None with fewer than two photos
    """

    metric: str
    float32: float
    int8: float
    interval: Interval | None

    @property
    def loss(self) -> float:
        """The drop of the metric."""
        return self.float32 - self.int8


@dataclass(frozen=True)
class Int8:
    """How a file was quantized.

    losses:       on photos that were not used for calibration
    calibration:  the photos for calibration, in words
    held_out:     the photos for the measurement, in words
    labeled:      whether accuracy was measured; otherwise agreement was
    layers:       the layers in 8 bits, by name
    float_layers: those that were kept in 32 bits so that accuracy is not lost, most sensitive first
    """

    losses: tuple[Loss, ...]
    calibration: str
    held_out: str
    labeled: bool
    layers: tuple[str, ...]
    float_layers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """What the metadata says about it."""
        metrics = {
            loss.metric: {
                "float32": loss.float32,
                "int8": loss.int8,
                "loss_interval": None if loss.interval is None else list(loss.interval),
            }
            for loss in self.losses
        }
        return {
            "calibration": self.calibration,
            "measured_on": self.held_out,
            "metrics": metrics,
            "layers": list(self.layers),
            "float_layers": list(self.float_layers),
        }


def quantize_within_loss(
    proto: onnx.ModelProto,
    model: AnyModel,
    source: Path,
    data: Path,
    max_loss: float | None = None,
    progress: Progress | None = None,
) -> tuple[onnx.ModelProto, Int8]:
    """A copy of a file with layers in 8 bits, which loses at most `max_loss` of each metric.

    max_loss: default: MAX_LOSS. Without labels, nothing but agreement is measured, which has no limit.

    Raises ExportError if more is lost, or if no layer can be computed in 8 bits; UsageError if the loss
    cannot be measured; and as `find_calibration_photos` does.
    """
    layers = find_layers(proto)
    if not layers:
        raise ExportError(
            "this model has no layers that can be computed in 8 bits; segmenters that work in tiles have "
            f"none. Export it without {option('int8')}."
        )
    photos = find_calibration_photos(source, model, data)
    scales = measure_scales(proto, tensors_to_measure(proto, layers), photos.feeds(MANY))
    before = Predictor(proto, model.config)
    measure = photos.measure(before)
    expected = measure.predict(before, progress)
    check_measurable(measure.scores(expected), f"{data}: the {photos.held_out}")
    limits = dict.fromkeys(MAX_LOSS, max_loss) if max_loss is not None else MAX_LOSS
    for kept, candidate in _candidates(proto, layers, scales, photos):
        found = measure.predict(Predictor(candidate, model.config), progress)
        losses = _losses(measure, expected, found)
        if not photos.labeled or not _exceeded(losses, limits):
            names = [layer.title for layer in layers if layer not in kept]
            with_intervals = _with_intervals(losses, measure, expected, found)
            return candidate, _describe(photos, with_intervals, names, kept)
    raise ExportError(_too_much(_exceeded(losses, limits)[0], limits, len(kept), len(layers)))


def check_measurable(scores: Mapping[str, float], photos: str) -> None:
    """Raise UsageError for a metric that is not defined on these photos (in words)."""
    for metric, score in scores.items():
        if math.isnan(score):
            raise UsageError(
                f"{photos} have no labels of the model's classes, so {metric} cannot be measured. Add photos "
                "with such labels, or calibrate on a folder of photos without labels."
            )


def _candidates(
    proto: onnx.ModelProto, layers: Sequence[Layer], scales: Mapping[str, Scale], photos: CalibrationPhotos
) -> Iterator[tuple[list[Layer], onnx.ModelProto]]:
    """Files with 0, 1, 2, 4 ... of the layers in 32 bits, up to half of them; and these layers."""
    yield [], quantize(proto, layers, scales)
    ranked, count = rank_by_noise(proto, layers, scales, photos.feeds(NOISE_PHOTOS)), 1
    while count <= len(layers) // 2:
        kept = ranked[:count]
        yield kept, quantize(proto, [layer for layer in layers if layer not in kept], scales)
        count *= 2


def _losses(measure: Measure, expected: Any, found: Any) -> list[Loss]:
    before, after = measure.scores(expected), measure.scores(found)
    return [Loss(name, before[name], after[name], None) for name in before]


def _with_intervals(losses: Sequence[Loss], measure: Measure, expected: Any, found: Any) -> tuple[Loss, ...]:
    intervals = measure.intervals(expected, found)
    return tuple(Loss(x.metric, x.float32, x.int8, intervals[x.metric]) for x in losses)


def _exceeded(losses: Sequence[Loss], limits: Mapping[str, float]) -> list[Loss]:
    return [loss for loss in losses if not loss.loss <= limits[loss.metric]]


def _describe(
    photos: CalibrationPhotos, losses: tuple[Loss, ...], names: Sequence[str], kept: Sequence[Layer]
) -> Int8:
    kept_names = tuple(layer.title for layer in kept)
    return Int8(losses, photos.calibration, photos.held_out, photos.labeled, tuple(names), kept_names)


def _too_much(loss: Loss, limits: Mapping[str, float], kept: int, layers: int) -> str:
    return (
        f"in 8 bits, {loss.metric} falls from {loss.float32:.3f} to {loss.int8:.3f}, by more than "
        f"{limits[loss.metric]:g}, even with {kept} of {layers} layers in 32 bits. The file was not written. "
        f"Calibrate on more photos, or allow a larger accuracy loss with {option('max_loss', 'X')}."
    )
