"""The classifier: features, class activation maps, class scores.

Class activation maps (Zhou et al. 2016, arXiv:1512.04150) are exact here: the logit of a class is the mean of
its map plus a constant, because the network ends with a mean and one linear layer. Grad-CAM (Selvaraju et al.
2017, arXiv:1610.02391, section 3.1) gives the same maps for such a network, with a backward pass.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.classifiers.classifier import ImageClassifier
from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import features_stage, image_stage, inside, sheet
from boxmask.explaining.photo_view import PhotoView
from boxmask.pipeline.images import Batch
from boxmask.types import Classification
from boxmask.visualization.bars import Bar, BarRow, draw_bars
from boxmask.visualization.heat_maps import append_scale
from boxmask.visualization.style import PALETTE

MAX_CLASSES = 4  # whose maps are drawn
MAX_BARS = 10
FEATURES_TEXT = "The CNN runs once over the photo."


def explain_classifier(model: ImageClassifier, view: PhotoView) -> tuple[list[Stage], Classification]:
    """The stages of the classifier, and its scores."""
    batch = model.prepare([view.image])
    features = model.backbone(batch.pixels)[-1]
    sizes = torch.tensor(batch.sizes, device=batch.pixels.device)
    logits = model(batch.pixels, sizes).float()
    result = Classification(logits.softmax(dim=1)[0].numpy(force=True), model.class_names)
    maps = class_activation_maps(model, features)
    return [
        image_stage(batch, model.backbone),
        features_stage(view, batch, [features], FEATURES_TEXT),
        _maps_stage(view, batch, maps, result),
        _scores_stage(view, result, logits[0].numpy(force=True)),
    ], result


def class_activation_maps(model: ImageClassifier, features: Tensor) -> Float[np.ndarray, "K h w"]:
    """What each cell adds to each class: the logit is the mean of its cells, plus the bias."""
    maps = torch.einsum("kc,chw->khw", model.logits.weight.float(), features[0].float())
    return maps.numpy(force=True)


def _maps_stage(
    view: PhotoView, batch: Batch, maps: Float[np.ndarray, "K h w"], result: Classification
) -> Stage:
    order = np.argsort(-result.scores, kind="stable")[:MAX_CLASSES].tolist()
    covered = [inside(maps[label], batch) for label in order]
    limits = (min(0.0, *(float(x.min()) for x in covered)), max(float(x.max()) for x in covered))
    pictures = {
        f"{result.class_names[label]} {result.scores[label]:.2f}": view.heat(maps[label], batch, limits)
        for label in order
    }
    text = (
        "Each part of the photo speaks for or against each class, and the mean over the photo decides. "
        "Bright parts speak for the class; dark parts do not, or speak against it. If a part that is not "
        "the object is bright, the classifier looks at the wrong thing, for example at the background."
    )
    data = {"maps": maps, "class_names": list(result.class_names), "shown": order}
    title = "What speaks for each class"
    return Stage("class-activation", title, text, append_scale(sheet(pictures), limits), data)


def _scores_stage(view: PhotoView, result: Classification, logits: Float[np.ndarray, " K"]) -> Stage:
    bars = tuple(
        Bar(name, score, PALETTE[result.class_names.index(name) % len(PALETTE)])
        for name, score in result.top(MAX_BARS)
    )
    text = (
        "A softmax turns the means into scores that add up to 1. "
        f"The result: {result.name}, {result.score:.2f}."
    )
    whole = view.crop(np.array([0, 0, view.size[1], view.size[0]], np.float32), 240)
    picture = draw_bars([BarRow((whole,), bars)], (0.0, 1.0))
    data = {"scores": result.scores, "logits": logits, "class_names": list(result.class_names)}
    return Stage("scores", "Class scores", text, picture, data)
