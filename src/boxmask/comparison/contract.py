"""What a comparison holds: models with their metrics, results, speed and training, on the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from boxmask.evaluation.contract import Evaluation
from boxmask.evaluation.failures.contract import FailureAnalysis
from boxmask.evaluation.intervals.difference import Difference
from boxmask.types import Detections, SegmentationMap

Results: TypeAlias = Sequence[Detections] | Sequence[SegmentationMap]
"""What a model found; result i belongs to photo i of the data set."""


@dataclass(frozen=True)
class Training:
    """How a model was trained. With folds: the means over its trainings, and their highest memory.

    minutes:        of training; validations and compiling kernels do not count
    passes:         over the training photos; None for methods that train without passes
    images_per_second: training photos per second
    peak_memory_mb: of the training process, in MiB
    seed:           of the recipe
    """

    minutes: float
    passes: float | None
    images_per_second: float | None
    peak_memory_mb: float | None
    seed: int


@dataclass(frozen=True)
class Speed:
    """How fast one form of a model is on this machine, with one photo per call and a thread per core.

    form:      "torch", "onnx" or "int8"
    median_ms, p95_ms: median and 95th percentile of the time of a call, on decoded photos
    stages_ms: the part of the median that each stage takes; for ONNX files, each group of operators
    peak_memory_mb: of the process that ran the model, libraries included, in MiB
    file_mb:   size of the model's file in MiB; None if it has none
    """

    form: str
    median_ms: float
    p95_ms: float
    stages_ms: dict[str, float]
    peak_memory_mb: float
    file_mb: float | None


@dataclass(frozen=True)
class ComparedModel:
    """One model of a comparison.

    name:       unique in the comparison, and shown to the user: "faster-rcnn", "faster-rcnn (seed 1)"
    method:     in the table of models; None for detections of another tool
    source:     its run, ONNX file, or COCO JSON file of detections; with folds, the folder of its runs
    evaluation: its metrics, with intervals
    results:    what it found in each photo, read from disk one by one
    failures:   which objects it missed or got wrong; None for segmenters
    training:   None if it was trained elsewhere
    speeds:     one per measured form, with folds of the first training; none for detections of another tool
    parameters: number of parameters; None if unknown
    operations: multiply-adds for one photo; None if unknown
    """

    name: str
    method: str | None
    source: Path
    evaluation: Evaluation
    results: Results
    failures: FailureAnalysis | None
    training: Training | None
    speeds: tuple[Speed, ...]
    parameters: int | None
    operations: int | None


@dataclass(frozen=True)
class FailedModel:
    """A model that could not be trained, evaluated or measured, and why."""

    name: str
    message: str


@dataclass(frozen=True)
class Spread:
    """How much a metric varies between trainings of one method that differ in nothing but the seed.

    values: the metric of each training
    """

    method: str
    metric: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the trainings."""
        return sum(self.values) / len(self.values)

    @property
    def deviation(self) -> float:
        """The standard deviation between trainings (with n - 1)."""
        squares = sum((value - self.mean) ** 2 for value in self.values)
        return float((squares / max(1, len(self.values) - 1)) ** 0.5)


@dataclass(frozen=True)
class Comparison:
    """Several models on the same photos. `print()` shows the table.

    data:        the path of the data set
    split:       the photos on which the models were evaluated: "test", ...
    dataset:     these photos with their labels; with folds, all photos
    task:        "detection", "segmentation" or "classification"
    metric:      the one that decides: "mask_AP", "AP", "mIoU" or "accuracy"
    models:      in the order of the command
    failed:      models that could not be compared
    differences: between each pair of models: the metric of the first minus that of the second
    sentences:   in plain words: which differences may be chance, and what the photos can tell
    spreads:     between trainings of one method with several seeds
    folds:       the number of folds; None if there was one split
    """

    data: Path
    split: str
    dataset: Any
    task: str
    metric: str
    models: tuple[ComparedModel, ...]
    failed: tuple[FailedModel, ...] = ()
    differences: tuple[Difference, ...] = ()
    sentences: tuple[str, ...] = ()
    spreads: tuple[Spread, ...] = ()
    folds: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, texts and lists, without the results."""
        from boxmask.comparison.document import comparison_to_dict

        return comparison_to_dict(self)

    def save_json(self, path: str | Path) -> None:
        """Write `to_dict()` as a JSON file. Raises UsageError for a file that boxmask did not write."""
        from boxmask.comparison.document import save_comparison_json

        save_comparison_json(self, Path(path))

    def save_csv(self, path: str | Path) -> None:
        """Write a table with one row per model. Raises UsageError for a file that boxmask did not write."""
        from boxmask.comparison.document import save_comparison_csv

        save_comparison_csv(self, Path(path))

    def save_html(self, path: str | Path) -> None:
        """Write the report: one HTML page with tables, charts and photos, which opens offline.

        Raises UsageError for another suffix than .html, and for a file that boxmask did not write. Raises
        OutputError.
        """
        from boxmask.comparison.report.save import save_report

        save_report(self, Path(path))

    def __repr__(self) -> str:
        from boxmask.comparison.table import comparison_text

        return comparison_text(self)
