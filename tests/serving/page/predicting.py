"""Models that find the same in every photo, and what the tests of the view Predict do on the page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.serving.conftest import Classifier, served

from boxmask.masks import Masks
from boxmask.serving.models import ServedModel
from boxmask.types import Detections, SegmentationMap

NAMES = ("cell", "platelet", "dust")
SIZE = (320, 240)


class Disks:
    """Finds disks on a grid, in the order of their scores, which fall from 0.95."""

    propose = None

    def __init__(self, columns: int, rows: int, *, masks: bool) -> None:
        self._grid, self._masks = (columns, rows), masks

    def predict(self, pixels: Any) -> Detections:
        height, width = pixels.shape[:2]
        columns, rows = self._grid
        count = columns * rows
        step_x, step_y = width / columns, height / rows
        x, y = np.arange(count) % columns * step_x, np.arange(count) // columns * step_y
        edges = [x + 0.1 * step_x, y + 0.1 * step_y, x + 0.9 * step_x, y + 0.9 * step_y]
        boxes = np.stack(edges, axis=1).astype(np.float32)
        scores = np.linspace(0.95, 0.1, count, dtype=np.float32)
        labels = np.arange(count, dtype=np.int64) % len(NAMES)
        masks = disks(boxes, (height, width)) if self._masks else None
        return Detections(boxes, scores, labels, NAMES, (height, width), masks)


def disks(boxes: Any, size: tuple[int, int]) -> Masks:
    """The ellipse in each box."""
    crops, corners = [], []
    for x1, y1, x2, y2 in boxes.round().astype(int):
        down, across = np.mgrid[y1:y2, x1:x2]
        middle_x, middle_y = (x1 + x2 - 1) / 2, (y1 + y2 - 1) / 2
        crops.append(
            ((across - middle_x) / ((x2 - x1) / 2)) ** 2 + ((down - middle_y) / ((y2 - y1) / 2)) ** 2 <= 1
        )
        corners.append((int(x1), int(y1)))
    return Masks.from_crops(crops, corners, size)


class Quarters:
    """The left half is background, the right half is sky over road."""

    propose = None

    def predict(self, pixels: Any) -> SegmentationMap:
        labels = np.zeros(pixels.shape[:2], dtype=np.uint8)
        labels[:, pixels.shape[1] // 2 :] = 1
        labels[pixels.shape[0] // 2 :, pixels.shape[1] // 2 :] = 2
        return SegmentationMap(labels, ("background", "sky", "road"))


def model(task: str, name: str, predictor: Any, names: tuple[str, ...]) -> ServedModel:
    """A model with a predictor of its own."""
    return replace(served(task, name, predictor), class_names=names)


def steady_models() -> list[ServedModel]:
    """One of each task, and one that finds three hundred objects."""
    return [
        model("detection", "disks", Disks(4, 3, masks=True), NAMES),
        model("detection", "boxes", Disks(3, 2, masks=False), NAMES),
        model("segmentation", "quarters", Quarters(), ("background", "sky", "road")),
        model("classification", "kinds", Classifier(), ("cat", "dog")),
        model("detection", "many", Disks(20, 15, masks=True), NAMES),
    ]


def give(page: Any, *files: Path) -> None:
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])
    page.locator(".side .zoom-stage img").first.wait_for()


def rows(page: Any) -> Any:
    return page.locator(".objects").first.locator("button")


def set_score(page: Any, score: float) -> None:
    slider = page.get_by_label("Minimum score")
    slider.evaluate(
        "(input, value) => {"
        " input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); }",
        str(score),
    )


def await_found(page: Any, count: str) -> None:
    """Wait until a side tells its number of objects. The live region has the same words for a while."""
    page.locator(".found", has_text=re.compile(f"^{count}$")).first.wait_for()
