"""The prediction of one photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gpu_sections.measure import Row, Settings, measure
from gpu_sections.networks import context_of, pairs, within
from launches import predictors
from torchvision_pairs import Pair


def prediction_rows(settings: Settings) -> Iterator[Row]:
    """The prediction of one photo with each network in both precisions."""
    for pair, images, _ in pairs(replace(settings, batch=1)):
        counts = f"{count_boxes(pair, images[0])} boxes"
        for name in settings.precisions:
            context = context_of(name, settings.device)
            reference, ours = (within(context, work) for work in predictors(pair, images[0]))
            note = counts if name == "fp32" else ""
            yield Row("prediction", f"{pair.name}, {name}", *measure((reference, ours), settings), note)


def count_boxes(pair: Pair, image: Tensor) -> str:
    """Numbers of detections: boxmask's and torchvision's."""
    with torch.inference_mode():
        expected = len(pair.reference.eval()([image])[0]["boxes"])
    return f"{len(pair.detector.eval().predict([image])[0])} / {expected}"
