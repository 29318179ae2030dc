"""Proposals as inputs of the graph, for the detectors whose proposals are found before (Selective Search)."""

from __future__ import annotations

import numpy as np

from boxmask.exporting.stages.boxes import rescale
from boxmask.exporting.stages.image import Batch
from boxmask.exporting.stages.proposals import Proposals


def add_proposals(batch: Batch) -> Proposals:
    """Add the inputs `proposals` (P, 4), in pixels of the photos, and `proposal_counts` (B,)."""
    graph = batch.graph
    boxes = graph.input("proposals", np.float32, ["proposals", 4])
    counts = graph.input("proposal_counts", np.int64, ["batch"])
    ends = graph.op("CumSum", counts, np.array(0))  # (B,)
    index = graph.arange(boxes.dim(0))
    photo = (index.unsqueeze(1) >= ends).cast(np.int64).reduce("Sum", 1)
    place = index - (ends - counts).gather(photo)
    sizes, originals = batch.sizes.gather(photo), batch.original_sizes.gather(photo)
    return Proposals(rescale(boxes, originals, sizes), photo, place, counts.reduce("Max"))
