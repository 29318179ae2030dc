"""boxmask finds things in photos: boxes, outlines, and the class of every pixel.

    import boxmask

    run = boxmask.train("data/", model="faster-rcnn", max_minutes=10)
    detector = boxmask.load(run.path)
    detections = detector.predict("photo.jpg")

The verbs, and the rooms that are named here, are loaded when they are first used, so that importing boxmask
is quick.
"""

from importlib import import_module
from types import ModuleType

from boxmask.verbs import evaluate, load, predict, train

__version__ = "0.2.0"
__all__ = ["evaluate", "load", "predict", "train"]

_ROOMS = (
    *("classifiers", "data", "detectors", "evaluation", "geometry", "kernels", "masks", "models"),
    *("pipeline", "prediction", "segmenters", "training", "types", "weights"),
)


def __getattr__(name: str) -> ModuleType:
    """`boxmask.weights` and the like without an import of their own."""
    if name in _ROOMS:
        return import_module(f"boxmask.{name}")
    raise AttributeError(f"module 'boxmask' has no attribute {name!r}")
