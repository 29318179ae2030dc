"""U-Net (arXiv:1505.04597): the contracting path, the expansive path, and what the copied maps add."""

from __future__ import annotations

import torch
from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import features_stage, sheet
from boxmask.explaining.photo_view import PhotoView
from boxmask.explaining.segmentation.stages import (
    append_class_legend,
    draw_labels,
    explain_segmenter,
    intermediate_labels,
)
from boxmask.pipeline.images import Batch, spatial_size
from boxmask.segmenters.unet import UNet
from boxmask.types import SegmentationMap

FEATURES_TEXT = (
    "The contracting path computes ever coarser maps. The expansive path goes back, from the coarsest to the "
    "finest, and at each step adds the map of that size from the contracting path."
)


def explain_unet(model: UNet, view: PhotoView) -> tuple[list[Stage], SegmentationMap]:
    """The stages of U-Net, and its label map."""

    def network_stages(part: PhotoView, batch: Batch) -> list[Stage]:
        maps = model.features(batch.pixels)
        return [
            features_stage(part, batch, maps, FEATURES_TEXT),
            _skips_stage(model, part, batch, maps),
        ]

    return explain_segmenter(model, view, network_stages)


def _skips_stage(model: UNet, view: PhotoView, batch: Batch, maps: list[Tensor]) -> Stage:
    """The label map of all maps, and those without each of the finer ones."""
    size, names = spatial_size(batch.pixels), model.class_names
    whole = intermediate_labels(view, batch, model.heads(maps, size))
    pictures, levels = {"with all maps": draw_labels(view, whole, names)}, []
    label_maps = [whole]
    for level, stride in enumerate(model.config.strides[:-1]):
        without = [torch.zeros_like(x) if i == level else x for i, x in enumerate(maps)]
        labels = intermediate_labels(view, batch, model.heads(without, size))
        changed = float((labels != whole).mean())
        pictures[f"without stride {stride}: {100 * changed:.1f} % changes"] = draw_labels(view, labels, names)
        label_maps.append(labels)
        levels.append({"stride": stride, "labels": labels, "changed": changed})
    text = (
        "What each copied map adds: the label map, and the same with one of the copied maps set to zero. "
        "Without fine maps, outlines become coarse or break up. Without coarse maps, large parts change "
        "their class."
    )
    picture = append_class_legend(sheet(pictures), names, label_maps)
    data = {"labels": whole, "levels": levels}
    return Stage("skips", "What the copied maps add", text, picture, data)
