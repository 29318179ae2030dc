"""FCN (arXiv:1411.4038): features, then scores of ever finer maps."""

from __future__ import annotations

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
from boxmask.pipeline.model import with_config
from boxmask.segmenters.fcn import COARSEST_STRIDE, FCN
from boxmask.types import SegmentationMap

FEATURES_TEXT = (
    "A classifier whose fully connected layers became convolutions: it runs over a photo of any size, and "
    "its maps keep where things are. Fine maps know where, coarse maps know what."
)


def explain_fcn(model: FCN, view: PhotoView) -> tuple[list[Stage], SegmentationMap]:
    """The stages of FCN, and its label map."""

    def network_stages(part: PhotoView, batch: Batch) -> list[Stage]:
        maps = model.features(batch.pixels)
        features = features_stage(part, batch, list(maps.values()), FEATURES_TEXT)
        return [features, *([_skips_stage(model, part, batch, maps)] if model.skip_strides else [])]

    return explain_segmenter(model, view, network_stages)


def _skips_stage(model: FCN, view: PhotoView, batch: Batch, maps: dict[int, Tensor]) -> Stage:
    """The label map from the coarsest scores alone, and after each addition of finer ones."""
    size, names = spatial_size(batch.pixels), model.class_names
    pictures, levels, label_maps = {}, [], []
    for stride in [COARSEST_STRIDE, *model.skip_strides]:
        logits = with_config(model, finest_stride=stride).heads(maps, size)
        labels = intermediate_labels(view, batch, logits)
        pictures[f"FCN-{stride}s"] = draw_labels(view, labels, names)
        label_maps.append(labels)
        levels.append({"stride": stride, "labels": labels})
    text = (
        f"The map of stride {COARSEST_STRIDE} is scored first, which gives coarse outlines (FCN-"
        f"{COARSEST_STRIDE}s). Then the scores are enlarged and those of finer maps are added, stride by "
        "stride, which sharpens the outlines. The scores of the steps before the last were trained as parts "
        "of the sum, so alone they are worse than a network that ends there."
    )
    picture = append_class_legend(sheet(pictures), names, label_maps)
    return Stage("skips", "Scores of finer maps are added", text, picture, {"levels": levels})
