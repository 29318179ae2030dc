"""DeepLabv3 (arXiv:1706.05587): dilated features, and the branches of ASPP."""

from __future__ import annotations

from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import features_stage, inside, sheet, span
from boxmask.explaining.photo_view import PhotoView
from boxmask.explaining.segmentation.stages import explain_segmenter
from boxmask.pipeline.images import Batch
from boxmask.segmenters.deeplab_v3 import DeepLabV3
from boxmask.types import SegmentationMap


def explain_deeplab_v3(model: DeepLabV3, view: PhotoView) -> tuple[list[Stage], SegmentationMap]:
    """The stages of DeepLabv3, and its label map."""
    stride = model.config.output_stride
    text = (
        "The last stages of the CNN are dilated instead of strided, so that its last map keeps a stride of "
        f"{stride}."
    )

    def network_stages(part: PhotoView, batch: Batch) -> list[Stage]:
        last = model.features(batch.pixels)[-1]
        return [
            features_stage(part, batch, [last], text),
            _aspp_stage(model, part, batch, last),
        ]

    return explain_segmenter(model, view, network_stages)


def _aspp_stage(model: DeepLabV3, view: PhotoView, batch: Batch, last: Tensor) -> Stage:
    """The strength of the features of each branch."""
    c = model.config
    rates = [rate * 16 // c.output_stride for rate in c.atrous_rates]
    pictures, branches = {}, []
    for rate, branch in zip([0, *rates], model.aspp.branches, strict=True):
        strength = branch(last)[0].abs().float().mean(dim=0).numpy(force=True)
        reach = (2 * rate + 1) * c.output_stride
        caption = f"rate {rate}: {reach} pixels" if rate else "1 × 1: the cell alone"
        pictures[caption] = view.heat(strength, batch, span(inside(strength, batch)))
        branches.append({"rate": rate, "strength": strength, "reach": reach if rate else c.output_stride})
    text = (
        "Atrous spatial pyramid pooling reads the map with several kernels side by side: one sees the cell "
        "alone, the others 3 × 3 cells with ever wider gaps, so that they see ever more of the photo. "
        "Another branch adds the mean over the whole photo. The pictures show how strongly each branch "
        "responds, from weak (dark) to strong, and how wide it sees, in pixels of the resized photo."
    )
    return Stage("aspp", "ASPP branches", text, sheet(pictures, columns=2), {"branches": branches})
