"""How each model becomes a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from boxmask.errors import UsageError
from boxmask.exporting import classifier
from boxmask.exporting.detectors import fast_rcnn, faster_rcnn, fcos, mask_rcnn, rcnn, retinanet, ssd
from boxmask.exporting.graph import Graph
from boxmask.exporting.segmenters import segmenter
from boxmask.models.table import AnyModel, name_of

Build = Callable[[Graph, Any], None]

BUILDERS: dict[str, Build] = {
    "rcnn": rcnn.build,
    "fast-rcnn": fast_rcnn.build,
    "faster-rcnn": faster_rcnn.build,
    "mask-rcnn": mask_rcnn.build,
    "retinanet": retinanet.build,
    "fcos": fcos.build,
    "ssd": ssd.build,
    "fcn": segmenter.build,
    "unet": segmenter.build,
    "deeplab-v3": segmenter.build,
    "classifier": classifier.build,
}
"""For each model, the function that adds its inputs, stages and outputs to a graph."""


def build_graph(model: AnyModel) -> Graph:
    """The graph of a model. Raises UsageError for a model that cannot be exported yet."""
    name = name_of(model)
    if name not in BUILDERS:
        raise UsageError(f"{name} cannot be exported. Methods that can be exported: {', '.join(BUILDERS)}.")
    graph = Graph()
    BUILDERS[name](graph, model)
    return graph
