"""Label maps in the colors that stand for their classes on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from boxmask.data.findings import Findings
from boxmask.doctor.report import CheckReport
from boxmask.errors import LabelError, PhotoError
from boxmask.visualization.style import rgb

Paint: TypeAlias = Callable[[Path], Image.Image]
"""Paints a label map. Raises PhotoError if it cannot be read."""


def find_paint(report: CheckReport, colors: Mapping[str, str]) -> Paint | None:
    """What paints the label maps of a report; None if its classes have other names than in their file.

    colors: of the classes, by name. Pixels of other classes are transparent.
    """
    from boxmask.data.segmentation.label_map_file import read_label_map
    from boxmask.data.segmentation.label_map_folder import find_label_maps, read_label_map_classes
    from boxmask.types import IGNORED

    try:
        classes = read_label_map_classes(find_label_maps(report.data, Findings()), report.classes_file)
    except LabelError:
        return None
    if not colors.keys() <= set(classes.names):
        return None
    shades = np.zeros((256, 4), dtype=np.uint8)
    for label, name in enumerate(classes.names):
        if name in colors:
            shades[label] = (*rgb(colors[name]), 255)

    def paint(path: Path) -> Image.Image:
        try:
            runs = read_label_map(path, classes.by_color)
        except LabelError as error:
            raise PhotoError(str(error)) from error
        labels = [classes.labels.get(value, IGNORED) for value in runs.values.tolist()]
        return Image.fromarray(shades[runs.to_labels(np.array(labels, dtype=np.uint8))])

    return paint
