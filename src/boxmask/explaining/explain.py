"""Explain a photo: run a model stage by stage, and describe each stage in a picture, words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor  # noqa: F401 (a photo may be one)

from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError
from boxmask.explaining.contract import Explanation
from boxmask.explaining.detection.saliency import saliency_stage
from boxmask.explaining.photo_view import PhotoView
from boxmask.explaining.table import EXPLAINERS
from boxmask.models.table import AnyModel, name_of
from boxmask.options import option
from boxmask.photos.read import Photo
from boxmask.progress import Progress
from boxmask.types import Detections


@dataclass(frozen=True)
class ExplainOptions:
    """What is shown.

    min_score: detectors: the lowest score of the objects that are drawn
    saliency:  detectors: also measure which parts of the photo each detection depends on, with this many
               masked copies of the photo; 0: not at all
    """

    min_score: float = 0.5
    saliency: int = 0

    def __post_init__(self) -> None:
        """Raise UsageError for values out of range."""
        if not 0 <= self.min_score <= 1:
            raise UsageError(f"{option('min_score')}: expected 0 to 1, found {self.min_score:g}")
        if self.saliency < 0:
            raise UsageError(f"{option('saliency')}: expected 0 or more, found {self.saliency}")


def explain_photo(
    model: AnyModel,
    photo: Photo,
    options: ExplainOptions = ExplainOptions(),
    progress: Progress | None = None,
) -> Explanation:
    """The stages of a photo's way through a model, and the result, which is that of `model.predict`.

    progress: called with the number of masked copies that are done, and of all

    Raises PhotoError, and UsageError for options that do not fit the model.
    """
    if options.saliency and not isinstance(model, Detector):
        name = option("saliency")
        raise UsageError(f"{name} is for detectors, and this is a {name_of(model)}. Leave it out.")
    view = PhotoView.of(photo, options.min_score)
    with torch.inference_mode():
        stages, result = EXPLAINERS[name_of(model)](model, view)
    if options.saliency and isinstance(model, Detector) and isinstance(result, Detections):
        saliency = saliency_stage(model, view, result, options.saliency, progress)
        stages = [*stages[:-1], *([saliency] if saliency else []), stages[-1]]
    return Explanation(name_of(model), tuple(stages), result)
