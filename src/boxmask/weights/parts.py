"""The parts of every network: names for its tensors that two networks share where the tensors mean the same.

    faster-rcnn  box_head.logits.weight        -> roi_classes.weight
    mask-rcnn    boxes.box_head.logits.weight  -> roi_classes.weight
    retinanet    box_head.tower.0.0.weight     -> box_tower.0.0.weight

The text before the first dot is the part. A part is transferred as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

BACKBONE = "backbone"
PARTS = {  # part -> its name for users
    BACKBONE: "backbone",
    "pyramid": "pyramid",
    "levels": "coarser levels",
    "extra": "extra layers",
    "rpn": "RPN",
    "fc": "fully connected layers",
    "class_tower": "class tower",
    "box_tower": "box tower",
    "score": "score layers",
    "aspp": "ASPP",
    "decoder": "decoder",
    "auxiliary": "auxiliary head",
    "roi_classes": "class scores",
    "anchor_classes": "class scores",
    "point_classes": "class scores",
    "default_box_classes": "class scores",
    "fcn_classes": "class scores",
    "pixel_classes": "class scores",
    "photo_classes": "class scores",
    "roi_deltas": "box deltas",
    "normalized_deltas": "box deltas",
    "anchor_deltas": "box deltas",
    "default_box_deltas": "box deltas",
    "distances": "distances",
    "svms": "SVMs",
    "regressors": "box regressors",
    "masks": "mask head",
}
READS = {  # part -> the parts whose output it reads; without them, its weights mean nothing
    "rpn": ("pyramid",),
    "fc": ("pyramid",),
    "masks": ("pyramid",),
    "class_tower": ("pyramid",),
    "box_tower": ("pyramid",),
    "roi_classes": ("fc",),
    "roi_deltas": ("fc",),
    "normalized_deltas": ("fc",),
    "svms": ("fc",),
    "anchor_classes": ("class_tower",),
    "point_classes": ("class_tower",),
    "anchor_deltas": ("box_tower",),
    "distances": ("box_tower",),
    "default_box_classes": ("extra",),
    "default_box_deltas": ("extra",),
    "fcn_classes": ("score",),
    "pixel_classes": ("aspp", "decoder"),
}

Layers = Mapping[str, str]  # regular expression for the start of our key -> the start of its name

_BACKBONE: Layers = {r"backbone\.": "backbone."}
_PYRAMID: Layers = {r"fpn\.lateral\.": "pyramid.lateral.", r"fpn\.output\.": "pyramid.output."}
_BOX_HEAD: Layers = {
    r"box_head\.(convs|fc6|fc7)\.": r"fc.\1.",
    r"box_head\.logits\.": "roi_classes.",
}
_FASTER_RCNN: Layers = {
    **_BACKBONE,
    **_PYRAMID,
    r"rpn_head\.": "rpn.",
    **_BOX_HEAD,
    r"box_head\.deltas\.": "roi_deltas.",
}
_DENSE: Layers = {
    **_BACKBONE,
    **_PYRAMID,
    r"fpn\.strided\.": "levels.",
    r"class_head\.tower\.": "class_tower.",
}
_AUXILIARY: Layers = {r"auxiliary_head\.": "auxiliary."}

LAYERS: dict[str, Layers] = {
    "rcnn": {
        **_BACKBONE,
        r"(fc6|fc7)\.": r"fc.\1.",
        r"logits\.": "roi_classes.",
        r"(svm_weights|svm_biases|calibration|fitted)": r"svms.\1",
        r"regressor_": "regressors.",
    },
    "fast-rcnn": {
        **_BACKBONE,
        **_BOX_HEAD,
        r"box_head\.deltas\.": "normalized_deltas.deltas.",
        r"delta_(mean|std)": r"normalized_deltas.\1",
    },
    "faster-rcnn": _FASTER_RCNN,
    "mask-rcnn": {
        **{rf"boxes\.{start}": name for start, name in _FASTER_RCNN.items()},
        r"mask_head\.": "masks.",
    },
    "ssd": {
        **_BACKBONE,
        r"norms\.": "extra.norms.",
        r"extra_layers\.": "extra.layers.",
        r"head\.logits\.": "default_box_classes.",
        r"head\.deltas\.": "default_box_deltas.",
    },
    "retinanet": {
        **_DENSE,
        r"box_head\.tower\.": "box_tower.",
        r"class_head\.last\.": "anchor_classes.",
        r"box_head\.last\.": "anchor_deltas.",
    },
    "fcos": {
        **_DENSE,
        r"box_tower\.": "box_tower.",
        r"class_head\.last\.": "point_classes.",
        r"(distances\.|centerness\.|scales)": r"distances.\1",
    },
    "fcn": {
        **_BACKBONE,
        r"head\.LAST\.": "fcn_classes.head.",
        r"head\.": "score.",
        r"skips\.": "fcn_classes.skips.",
        r"upsamples\.": "fcn_classes.upsamples.",
        **_AUXILIARY,
    },
    "unet": {**_BACKBONE, r"up_blocks\.": "decoder.", r"logits\.": "pixel_classes.unet."},
    "deeplab-v3": {
        **_BACKBONE,
        r"aspp\.": "aspp.",
        r"head\.LAST\.": "pixel_classes.deeplab.",
        r"head\.": "decoder.",
        **_AUXILIARY,
    },
    "classifier": {**_BACKBONE, r"logits\.": "photo_classes."},
}


def part_keys(model: str, config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """The name of each tensor of a network by its key. Unknown tensors have none.

    model:  the method, as in `models.table`
    config: the fields of the network's config
    """
    keys = list(keys)
    last = {head: _last_layer(head, keys) for head in ("head", "auxiliary_head")}
    names = {}
    for key in keys:
        head, _, rest = key.partition(".")
        marked = re.sub(rf"^{last[head]}\.", "LAST.", rest) if head in last else rest
        name = _rename(f"{head}.{marked}" if rest else key, LAYERS[model])
        if name is not None:
            names[key] = _with_levels(name, config)
    return names


def part_of(name: str) -> str:
    """The part that a tensor belongs to, by its name."""
    return name.partition(".")[0]


def _last_layer(head: str, keys: list[str]) -> int:
    """The index of the last layer of a head of a segmenter, which scores the classes."""
    indices = [re.match(rf"{head}\.(\d+)\.", key) for key in keys]
    return max((int(found[1]) for found in indices if found), default=-1)


def _rename(key: str, layers: Layers) -> str | None:
    for start, name in layers.items():
        if found := re.match(start, key):
            return found.expand(name) + key[found.end() :]
    return None


def _with_levels(name: str, config: Mapping[str, Any]) -> str:
    """Name the levels of a pyramid by their strides: other networks may begin with another level."""
    if name.startswith("levels."):
        return name.replace("levels.", f"levels.{config['extra_level_source']}.", 1)
    if not name.startswith("pyramid."):
        return name
    part, kind, level, rest = name.split(".", 3)
    strides = config["strides"]
    is_repeated = len(set(strides)) < len(strides)  # torchvision's MobileNets have two maps of stride 32
    return f"{part}.{kind}.{level if is_repeated else f'stride {strides[int(level)]}'}.{rest}"
