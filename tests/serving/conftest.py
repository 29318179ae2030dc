"""Servers in this process, with models whose results follow from the photo."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from boxmask.masks import Masks
from boxmask.serving.app import create_app
from boxmask.serving.models import ServedModel
from boxmask.serving.options import ServeOptions
from boxmask.types import Classification, Detections, SegmentationMap

NAMES = ("cat", "dog")
Serve = Callable[..., TestClient]


class Detector:
    """Finds a dog in the whole photo, with the brightness as its score, and a cat in its left half.

    gate: if given, predictions wait for it
    """

    propose = None

    def __init__(self, *, masks: bool = False, gate: threading.Event | None = None) -> None:
        self._masks, self._gate = masks, gate
        self.calls = 0

    def predict(self, pixels: Any) -> Detections:
        self.calls += 1
        if self._gate is not None:
            assert self._gate.wait(30)
        height, width = pixels.shape[:2]
        boxes = np.array([[0, 0, width, height], [0, 0, width // 2, height]], dtype=np.float32)
        scores = np.array([pixels.mean() / 255, pixels.mean() / 510], dtype=np.float32)
        masks = None
        if self._masks:
            dense = np.zeros((2, height, width), dtype=np.bool_)
            dense[0, 1:-1, 1:-1] = dense[1, :, : width // 2] = True
            masks = Masks.from_dense(dense)
        return Detections(boxes, scores, np.array([1, 0]), NAMES, (height, width), masks)


class Segmenter:
    """The left half is cat, the right half is dog."""

    propose = None

    def predict(self, pixels: Any) -> SegmentationMap:
        labels = np.zeros(pixels.shape[:2], dtype=np.uint8)
        labels[:, pixels.shape[1] // 2 :] = 1
        return SegmentationMap(labels, NAMES)


class Classifier:
    """A light photo is a cat."""

    propose = None

    def predict(self, pixels: Any) -> Classification:
        light = np.float32(pixels.mean() / 255)
        return Classification(np.array([light, 1 - light], dtype=np.float32), NAMES)


def served(task: str = "detection", name: str = "pets", predictor: Any = None, **fields: Any) -> ServedModel:
    """A model of a task."""
    predictors = {"detection": Detector, "segmentation": Segmenter, "classification": Classifier}
    methods = {"detection": "ssd", "segmentation": "fcn", "classification": "classifier"}
    return ServedModel(name, methods[task], task, "onnx", NAMES, predictor or predictors[task](), **fields)


def photo(size: tuple[int, int] = (8, 6), light: int = 204, form: str = "PNG") -> bytes:
    """The file of a gray photo of (width, height)."""
    file = io.BytesIO()
    Image.new("RGB", size, (light,) * 3).save(file, form)
    return file.getvalue()


def upload(content: bytes, name: str = "a.png") -> list[tuple[str, tuple[str, bytes]]]:
    """The files of a form with one photo."""
    return [("photos", (name, content))]


def error_of(reply: Any) -> str:
    """The code of an error, whose message must be a sentence."""
    error = reply.json()["error"]
    assert " " in error["message"]
    return str(error["code"])


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server in this process; keyword arguments are options."""
    with ExitStack() as stack:

        def start(*models: ServedModel, **options: Any) -> TestClient:
            app = create_app(models or [served()], ServeOptions(**options), names=["testserver"])
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield start
