"""boxmask finds things in photos: boxes, outlines, and the class of every pixel.

    import boxmask

    run = boxmask.train("my-photos/", model="faster-rcnn", max_minutes=10)
    detector = boxmask.load(run)
    detections = detector.predict("photo.jpg")

Everything is loaded when it is first used, so that importing boxmask is quick: the program handles Ctrl-C
from its first lines on.
"""

from __future__ import annotations

from boxmask.program_start import handle_first_interrupts

handle_first_interrupts()

from importlib import import_module  # noqa: E402

from boxmask.errors import (  # noqa: E402
    BoxmaskError,
    CheckpointError,
    DiskFullError,
    ExportError,
    LabelError,
    OutputError,
    PhotoError,
    TrainingError,
    UsageError,
    VideoError,
    WeightsError,
)
from boxmask.wait_policy import set_wait_policy  # noqa: E402

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all the rest
if TYPE_CHECKING:
    from boxmask import (
        benchmarking,
        classifiers,
        comparison,
        data,
        detectors,
        doctor,
        evaluation,
        explaining,
        exporting,
        forecasting,
        geometry,
        kernels,
        masks,
        models,
        photos,
        pipeline,
        prediction,
        results,
        runs,
        runtime,
        segmenters,
        serving,
        tasks,
        training,
        types,
        visualization,
        weights,
    )
    from boxmask.bench_verb import bench
    from boxmask.benchmarking.report import Benchmark
    from boxmask.compare_verb import compare
    from boxmask.comparison.contract import Comparison
    from boxmask.doctor.report import CheckReport
    from boxmask.explain_verb import explain
    from boxmask.explaining.contract import Explanation
    from boxmask.forecast_verb import forecast
    from boxmask.forecasting.report import Forecast
    from boxmask.label_verbs import check, convert
    from boxmask.model_verbs import evaluate, export, load, train
    from boxmask.prediction_verbs import predict, predict_video
    from boxmask.runs.recipe import Recipe
    from boxmask.runs.run import Run
    from boxmask.serve_verb import serve
    from boxmask.types import Classification, Detection, Detections, SegmentationMap

__version__ = "0.2.0"
__all__ = [
    "Benchmark",
    "BoxmaskError",
    "CheckReport",
    "CheckpointError",
    "Classification",
    "Comparison",
    "Detection",
    "Detections",
    "DiskFullError",
    "Explanation",
    "ExportError",
    "Forecast",
    "LabelError",
    "OutputError",
    "PhotoError",
    "Recipe",
    "Run",
    "SegmentationMap",
    "TrainingError",
    "UsageError",
    "VideoError",
    "WeightsError",
    "bench",
    "benchmarking",
    "check",
    "classifiers",
    "compare",
    "comparison",
    "convert",
    "data",
    "detectors",
    "doctor",
    "evaluate",
    "evaluation",
    "explain",
    "explaining",
    "export",
    "exporting",
    "forecast",
    "forecasting",
    "geometry",
    "kernels",
    "load",
    "masks",
    "models",
    "photos",
    "pipeline",
    "predict",
    "predict_video",
    "prediction",
    "results",
    "runs",
    "runtime",
    "segmenters",
    "serve",
    "serving",
    "tasks",
    "train",
    "training",
    "types",
    "visualization",
    "weights",
]

_LAZY = {
    "Benchmark": "boxmask.benchmarking.report",
    "CheckReport": "boxmask.doctor.report",
    "Classification": "boxmask.types",
    "Comparison": "boxmask.comparison.contract",
    "Detection": "boxmask.types",
    "Detections": "boxmask.types",
    "Explanation": "boxmask.explaining.contract",
    "Forecast": "boxmask.forecasting.report",
    "Recipe": "boxmask.runs.recipe",
    "Run": "boxmask.runs.run",
    "SegmentationMap": "boxmask.types",
    "bench": "boxmask.bench_verb",
    "check": "boxmask.label_verbs",
    "compare": "boxmask.compare_verb",
    "convert": "boxmask.label_verbs",
    "evaluate": "boxmask.model_verbs",
    "explain": "boxmask.explain_verb",
    "export": "boxmask.model_verbs",
    "forecast": "boxmask.forecast_verb",
    "load": "boxmask.model_verbs",
    "predict": "boxmask.prediction_verbs",
    "predict_video": "boxmask.prediction_verbs",
    "serve": "boxmask.serve_verb",
    "train": "boxmask.model_verbs",
}

set_wait_policy()


def __getattr__(name: str) -> object:
    """Load a class, a function or a room when it is first used."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name in __all__:
        return import_module(f"boxmask.{name}")
    raise AttributeError(f"module 'boxmask' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
