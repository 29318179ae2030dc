"""The layers of the stages that segmenters and the classifier have, and of the first stages of all models."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from boxmask.serving.explain.encode import cells, jpeg, label_png, rounded
from boxmask.serving.explain.frame import Found, Frame
from boxmask.serving.explain.reply import Detail, DetailLayer, LabelLayer, Layer, MapLayer, PictureLayer

MAX_MAPS = 9  # classes with a map


def image(data: dict[str, Any], frame: Frame) -> Found:
    """The photo as the network reads it, without the padding."""
    facts: dict[str, float | str] = {}
    for name in ("photo", "image", "padded"):
        height, width = data[f"{name}_size"]
        facts |= {f"{name}_width": width, f"{name}_height": height}
    height, width = data["image_size"]
    return facts, [PictureLayer(name="image", jpeg=jpeg(data["pixels"][:height, :width]))]


def features(data: dict[str, Any], frame: Frame) -> Found:
    """The strength of the features of each map, each with its own limits."""
    layers: list[Layer] = [
        frame.map("strength", level["strength"], stride=level["stride"]) for level in data["levels"]
    ]
    return {"maps": len(layers)}, layers


def skips(data: dict[str, Any], frame: Frame) -> Found:
    """FCN: the label map after each addition. U-Net: the label map, and that without each of the maps."""
    layers: list[Layer] = []
    if "labels" in data:
        layers.append(LabelLayer(name="with-all-maps", png=label_png(data["labels"]), of="classes"))
    for level in data["levels"]:
        changed = rounded(level["changed"]) if "changed" in level else None
        name = "step" if changed is None else "without"
        layers.append(
            LabelLayer(
                name=name,
                png=label_png(level["labels"]),
                of="classes",
                stride=level["stride"],
                changed=changed,
            )
        )
    return {"maps": len(data["levels"])}, layers


def aspp(data: dict[str, Any], frame: Frame) -> Found:
    """DeepLabv3: the strength of the features of each branch."""
    layers: list[Layer] = [
        frame.map("strength", branch["strength"], rate=branch["rate"]) for branch in data["branches"]
    ]
    return {"branches": len(layers)}, layers


def class_probabilities(data: dict[str, Any], frame: Frame) -> Found:
    """The probabilities of the classes with the largest means."""
    probabilities: Float[np.ndarray, "K h w"] = data["probabilities"]
    order = np.argsort(-probabilities.mean(axis=(1, 2)), kind="stable")[:MAX_MAPS].tolist()
    layers: list[Layer] = [
        _whole("probability", probabilities[label], class_name=data["class_names"][label]) for label in order
    ]
    return {"classes": len(probabilities), "shown": len(order)}, layers


def entropy(data: dict[str, Any], frame: Frame) -> Found:
    """Where the segmenter is unsure."""
    values: Float[np.ndarray, "h w"] = data["entropy"]
    return {"mean": rounded(float(values.mean()))}, [_whole("entropy", values)]


def label_map(data: dict[str, Any], frame: Frame) -> Found:
    """The result."""
    shares = {name: rounded(share) for name, share in data["shares"].items()}
    layer = LabelLayer(name="label-map", png=label_png(data["labels"]), of="classes", shares=shares)
    return {"classes": len(shares)}, [layer]


def class_activation(data: dict[str, Any], frame: Frame) -> Found:
    """The classifier: what speaks for each of the likeliest classes, all with the same limits."""
    maps, shown = data["maps"], data["shown"]
    spans = [frame.span(maps[label]) for label in shown]
    limits = (min(0.0, *(low for low, _ in spans)), max(high for _, high in spans))
    layers: list[Layer] = [
        frame.map("activation", maps[label], limits, class_name=data["class_names"][label]) for label in shown
    ]
    return {"classes": len(data["class_names"]), "shown": len(shown)}, layers


def photo_scores(data: dict[str, Any], frame: Frame) -> Found:
    """The classifier: the result."""
    scores: Float[np.ndarray, " K"] = data["scores"]
    order = np.argsort(-scores, kind="stable").tolist()
    bars = {data["class_names"][label]: rounded(float(scores[label])) for label in order}
    detail = Detail(box=frame.area, objects=[], bars=bars)
    facts: dict[str, float | str] = {"class": next(iter(bars)), "score": max(bars.values())}
    return facts, [DetailLayer(name="scores", details=[detail], total=1)]


def _whole(name: str, values: Float[np.ndarray, "h w"], **fields: Any) -> MapLayer:
    """A layer of a map from 0 to 1 without padding."""
    return MapLayer(name=name, cells=cells(values, (0.0, 1.0)), covered=[1.0, 1.0], **fields)
