"""The outputs that the graphs of all detectors have."""

from __future__ import annotations

import numpy as np

from boxmask.exporting.graph import Graph
from boxmask.exporting.stages.postprocess import Found


def add_outputs(graph: Graph, found: Found) -> None:
    """Boxes, scores and labels of all objects, photo by photo, and their number per photo."""
    graph.output("boxes", found.boxes, np.float32, ["objects", 4])
    graph.output("scores", found.scores, np.float32, ["objects"])
    graph.output("labels", found.labels, np.int64, ["objects"])
    graph.output("counts", found.counts, np.int64, ["batch"])
