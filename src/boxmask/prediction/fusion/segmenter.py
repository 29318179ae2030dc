"""Several views of a photo by segmenters, fused to one label map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.masks import IGNORED
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.images import spatial_size
from boxmask.pipeline.segmentation.inference import eval_mode, probability_strips
from boxmask.pipeline.segmentation.strips import align_strips, argmax_strips
from boxmask.prediction.fusion.class_names import JoinedClasses
from boxmask.prediction.fusion.views import View
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap


class FusedSegmenter:
    """One or several segmenters that predict several views of each photo.

    A pixel gets the class with the highest mean probability. The mean is over the views of the models that
    know the class. `config` is that of the first segmenter, with the classes of all.

    Raises UsageError if these are more classes than a label map can hold.
    """

    def __init__(self, views: Sequence[View[Segmenter]]) -> None:
        if not all(isinstance(view.model, Segmenter) for view in views):
            raise UsageError(
                "an ONNX file of a segmenter gives no probabilities to average. Leave out --tta and --with, "
                "or give the run that it was exported from."
            )
        self.views = list(views)
        configs = [view.model.config for view in views]
        self._classes = JoinedClasses.of([config.class_names for config in configs])
        names = self._classes.names
        if len(names) > IGNORED:
            raise UsageError(
                f"the models know {len(names)} classes; a label map has at most {IGNORED}. Combine fewer "
                "runs."
            )
        self.config: Any = replace(configs[0], class_names=names, class_weights=())

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self._classes.names

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos -> the label map of each at its own size, as `Segmenter.predict`."""
        with ExitStack() as stack:
            for view in self.views:
                stack.enter_context(eval_mode(view.model))
            labels = [argmax_strips(self._mean_strips(image), spatial_size(image)) for image in images]
        return [SegmentationMap(label_map.numpy(), self.class_names) for label_map in labels]

    def _mean_strips(self, image: Tensor) -> Iterator[Float[Tensor, "K n W"]]:
        """The mean probabilities of all classes, a few rows at a time."""
        counts = torch.from_numpy(self._classes.known.sum(axis=0))[:, None, None]
        labels = [torch.from_numpy(labels) for labels in self._classes.labels]
        sources = [probability_strips(view.image(image), view.model) for view in self.views]
        for strips in align_strips(sources):
            total = strips[0].new_zeros((len(counts), *strips[0].shape[1:]))
            for view, rows, strip in zip(self.views, labels, strips, strict=True):
                total[rows] += strip.flip(-1) if view.is_mirrored else strip
            yield total / counts.to(total.device)
