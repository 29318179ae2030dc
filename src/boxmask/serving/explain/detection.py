"""The layers of the stages that detectors have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from boxmask.explaining.detection.suppression import KEPT, OVER_LIMIT
from boxmask.serving.explain.encode import box_list, cells, jpeg, label_png, rounded
from boxmask.serving.explain.frame import Found, Frame
from boxmask.serving.explain.reply import AnchorLayer, Cells, Detail, DetailLayer, LabelLayer, Layer
from boxmask.serving.explain.reply import PictureLayer as Picture
from boxmask.types import Detections

MAX_OBJECTS = 255  # in one map of objects
MAX_BARS = 10  # classes of a detail


def regions(data: dict[str, Any], frame: Frame) -> Found:
    """Selective Search: the regions that remain, ever fewer."""
    layers: list[Layer] = [
        Picture(name="regions", jpeg=jpeg(step["picture"]), count=step["count"]) for step in data["steps"]
    ]
    strategies = data["strategies"]
    return {"regions": int(data["regions"].max()) + 1, "strategies": len(strategies)}, layers


def proposals(data: dict[str, Any], frame: Frame) -> Found:
    """The proposals before and after NMS, and those of the followed objects."""
    facts: dict[str, float | str] = {"proposals": len(data["boxes"])}
    layers: list[Layer] = [frame.boxes("proposals", data["boxes"])]
    if "before_nms" in data:
        facts |= {"before_nms": len(data["before_nms"]), "nms_iou": data["nms_iou"]}
        layers.insert(0, frame.boxes("before-nms", data["before_nms"]))
        origins = data["followed"]
        columns = {"scores": origins["objectness"], "strides": origins["strides"]}
        layers.append(frame.follow("anchors-of-objects", origins["anchors"], **columns))
    rows = list(frame.proposals)
    layers.append(frame.follow("proposals-of-objects", data["boxes"][rows].reshape(-1, 4)))
    return facts, layers


def anchors(data: dict[str, Any], frame: Frame) -> Found:
    """The anchors of the cell in the middle, per map."""
    levels = data["levels"]
    layers: list[Layer] = [
        AnchorLayer(
            name="anchors",
            stride=level["stride"],
            width=level["grid"][1],
            height=level["grid"][0],
            middle=box_list(level["middle"]),
        )
        for level in levels
    ]
    return {"anchors": sum(len(level["anchors"]) for level in levels), "maps": len(levels)}, layers


def level_maps(data: dict[str, Any], frame: Frame) -> Found:
    """Scores per level, all with the same limits."""
    [key] = {key for level in data["levels"] for key in level} - {"stride"}
    highest = max(1e-6, *(frame.span(level[key])[1] for level in data["levels"]))
    layers: list[Layer] = [
        frame.map(key, level[key], (0.0, highest), stride=level["stride"], center=data["center"])
        for level in data["levels"]
    ]
    return {"highest": rounded(highest), "maps": len(layers)}, layers


def winners(data: dict[str, Any], frame: Frame) -> Found:
    """One stage: the anchor or point of each followed object, and its box."""
    columns = {key: data[key] for key in ("scores", "strides")} | {"classes": data["names"]}
    return {}, [
        frame.follow("starts", data["starts"], **columns),
        frame.follow("boxes", data["boxes"], **columns),
    ]


def warped_regions(data: dict[str, Any], frame: Frame) -> Found:
    """R-CNN: some regions as the CNN sees them."""
    details = [
        Detail(box=box, objects=frame.objects_of(row), jpeg=jpeg(region))
        for row, box, region in zip(frame.shown, box_list(data["boxes"]), data["regions"], strict=True)
    ]
    side = data["regions"][0].shape[0] if data["regions"] else 0
    return {"side": side}, [DetailLayer(name="regions", details=details, total=len(details))]


def roi_pooling(data: dict[str, Any], frame: Frame) -> Found:
    """The cells of some regions, and the strength of their features."""
    strengths: Float[np.ndarray, "R pool pool"] = data["pooled_strength"]
    maps: list[Cells] = [cells(strength) for strength in strengths]
    details = _details(data["cells"], frame.shown, frame, cells=maps)
    return {"cells": strengths.shape[-1]}, [DetailLayer(name="cells", details=details, total=len(details))]


def svm_margins(data: dict[str, Any], frame: Frame) -> Found:
    """R-CNN: the signed distances of some regions from the border of each SVM."""
    bars = [_bars(margins, data["class_names"]) for margins in data["margins"]]
    details = _details(data["boxes"], frame.shown, frame, bars=bars)
    return {}, [DetailLayer(name="margins", details=details, total=len(details))]


def region_scores(data: dict[str, Any], frame: Frame) -> Found:
    """Two stages: all proposals with their best class, and some in detail."""
    scores: Float[np.ndarray, "P K"] = data["scores"]
    best = scores.max(axis=1, initial=0.0)
    order = np.argsort(-best, kind="stable")
    names = [data["class_names"][label] for label in scores[order].argmax(axis=1)]
    shown = list(frame.shown)
    bars = [_bars(scores[row], data["class_names"]) for row in shown]
    details = _details(data["boxes"][shown].reshape(-1, 4), shown, frame, bars=bars)
    return {"proposals": len(scores)}, [
        frame.boxes("scored", data["boxes"][order], scores=best[order], classes=names),
        DetailLayer(name="scores", details=details, total=len(scores)),
    ]


def box_regression(data: dict[str, Any], frame: Frame) -> Found:
    """Two stages: the proposals of the followed objects, and their boxes."""
    columns = {"scores": data["scores"], "classes": data["names"]}
    moved = np.abs(data["after"] - data["before"]).max(initial=0.0)
    return {"moved": round(float(moved), 1)}, [
        frame.follow("before", data["before"], **columns),
        frame.follow("after", data["after"], **columns),
    ]


def nms(data: dict[str, Any], frame: Frame) -> Found:
    """The boxes before NMS, what it did with each, and the followed object that it belongs to."""
    kept, remover = data["kept"], data["removed_by"]
    objects: list[int | None] = [None] * len(remover)
    for number, row in enumerate(kept[: frame.followed].tolist()):
        for member in (row, *np.flatnonzero(remover == row).tolist()):
            objects[member] = number
    words = {KEPT: "kept", OVER_LIMIT: "over-limit"}
    columns = {
        "scores": data["scores"],
        "classes": data["names"],
        "objects": objects,
        "states": [words.get(value, "removed") for value in remover.tolist()],
    }
    facts = {"candidates": len(remover), "kept": len(kept), "nms_iou": data["nms_iou"]}
    return facts, [frame.boxes("candidates", data["boxes"], **columns)]


def masks(data: dict[str, Any], frame: Frame) -> Found:
    """Mask R-CNN: the masks before they are pasted into the photo."""
    maps = [cells(mask, (0.0, 1.0)) for mask in data["masks"]]
    details = [
        Detail(box=box, objects=[number] if number < frame.followed else [], cells=each)
        for number, (box, each) in enumerate(zip(box_list(data["boxes"]), maps, strict=True))
    ]
    return {"side": data["masks"].shape[-1]}, [DetailLayer(name="masks", details=details, total=len(details))]


def detections(data: dict[str, Any], frame: Frame) -> Found:
    """The result."""
    numbers = [number if number < frame.followed else None for number in range(len(data["boxes"]))]
    columns = {"scores": data["scores"], "classes": data["names"], "objects": numbers}
    return {"detections": len(numbers)}, [frame.boxes("detections", data["boxes"], **columns)]


def object_map(found: Detections) -> list[Layer]:
    """The masks of the result in one map; where objects overlap, that with the higher score."""
    if found.masks is None or not len(found):
        return []
    first = found[:MAX_OBJECTS].masks
    assert first is not None
    labels = np.zeros(found.size, np.uint8)
    for number in reversed(range(len(first))):
        labels[first[number].dense()[0]] = number + 1
    return [LabelLayer(name="masks", png=label_png(labels), of="objects")]


def _details(
    boxes: Float[np.ndarray, "R 4"], rows: Sequence[int], frame: Frame, **columns: Sequence[Any]
) -> list[Detail]:
    """Details of proposals. rows: of the proposals; columns: a value per box"""
    fields = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [
        Detail(box=box, objects=frame.objects_of(row), **field)
        for box, row, field in zip(box_list(boxes), rows, fields, strict=True)
    ]


def _bars(values: Float[np.ndarray, " K"], class_names: Sequence[str]) -> dict[str, float]:
    """The classes with the highest values, highest first."""
    order = np.argsort(-values, kind="stable")[:MAX_BARS].tolist()
    return {class_names[label]: rounded(float(values[label])) for label in order}
