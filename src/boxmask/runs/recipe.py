"""The recipe of a training: every choice that is not the network's own, with its default.

The fields are the flags of `boxmask train`, their docstrings its help. This file imports nothing heavy, so
that the help is instant.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from boxmask.errors import UsageError

DEFAULT_MINUTES = 10.0

LIMITS: tuple[tuple[tuple[str, ...], Callable[[float], bool], str], ...] = (
    (
        (
            *("max_minutes", "epochs", "size", "batch_size", "learning_rate"),
            *("clip_norm", "num_validations", "save_seconds", "max_regions"),
        ),
        lambda value: 0 < value < math.inf,
        "more than 0",
    ),
    (
        ("seed", "split_seed", "workers", "cache_megabytes", "backbone_lr_mult", "weight_decay"),
        lambda value: 0 <= value < math.inf,
        "0 or more",
    ),
    (("flip", "vertical_flip", "color_jitter"), lambda value: 0 <= value <= 1, "0 to 1"),
    (("warmup", "ema_decay"), lambda value: 0 <= value < 1, "0 or more and less than 1"),
    (("frozen_stages",), lambda value: 0 <= value <= 4, "0 to 4"),
)
"""Which values can be meant, and how that is said."""

ELSEWHERE = {"backbone": "give --backbone", "class_names": "the labels name the classes"}
"""What is no business of --model-option, and why."""

Crops = Literal["jitter", "ssd"]


@dataclass(frozen=True)
class MethodDefaults:
    """What suits a method where the user says nothing; measured in docs/how-to/choose-a-recipe.md."""

    learning_rate: float = 8e-4
    frozen_stages: int = 2
    crop_policy: Crops = "jitter"


METHOD_DEFAULTS: dict[str, MethodDefaults] = {
    "ssd": MethodDefaults(
        frozen_stages=1
    ),  # its heads read C3 as it is, without a pyramid that could adapt it
    "unet": MethodDefaults(learning_rate=1.5e-3),  # half of the network is new
    "deeplab-v3": MethodDefaults(learning_rate=1.5e-3),
}


@dataclass(frozen=True)
class Recipe:
    """How to train. With neither --max-minutes nor --epochs, training takes ten minutes."""

    model: str = "faster-rcnn"
    """Which method. Boxes: rcnn, fast-rcnn, faster-rcnn, ssd, retinanet, fcos; outlines: mask-rcnn; the class
    of every pixel: fcn, unet, deeplab-v3; of every photo: classifier."""
    preset: str = "default"
    """Whose numbers: "default" suits small photos on a CPU, "paper" and others are on the method's page."""
    backbone: str | None = None
    """timm's name of the backbone; default: the preset's."""
    weights: str = "imagenet"
    """What the backbone starts from: "imagenet", "hub" (timm's), "none" (random) or a file."""
    detector: Path | None = None
    """The run of a trained detector, whose backbone, pyramid, RPN and heads the new network begins with, as
    far as it has such; classes are matched by name."""
    classifier: Path | None = None
    """The run of a trained classifier, or a file with timm's weights of one, whose backbone the new network
    begins with."""
    size: int | None = None
    """Pixels of a photo's short side in the network; default: the preset's."""
    model_options: Annotated[tuple[str, ...], Parameter(name="--model-option")] = ()
    """Other numbers of the method than the preset's, by their name in its config, for example --model-option
    tower_depth=4; several times for several."""

    training: Literal["joint", "alternating"] = "joint"
    """Faster R-CNN: all at once, or the RPN and Fast R-CNN in turns (the paper's four steps)."""
    max_regions: int | None = None
    """R-CNN: how many proposals of a photo SVMs and box regressors are fitted to; default: as many as fit the
    time."""
    max_minutes: float | None = None
    """Stop after so many minutes; the schedule fits the time. The last validation comes on top."""
    epochs: int | None = None
    """Stop after so many passes over the training photos, in each stage that has any; with a seed, this gives
    the same weights again."""
    seed: int = 0
    """Of the weights, the order of the photos, the augmentation and the sampling."""

    batch_size: int = 4
    """Photos a step."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """SGD has momentum 0.9, as in the papers."""
    learning_rate: float | None = None
    """The highest one, after the warm-up; it then falls along a cosine to zero. Default: the method's."""
    backbone_lr_mult: float = 0.25
    """The backbone's learning rate, as a part of the others'."""
    weight_decay: float = 0.01
    """On weights, not on biases."""
    warmup: float = 0.05
    """Part of the training in which the learning rate rises."""
    clip_norm: float = 10.0
    """The gradient's norm is cut to this."""
    ema_decay: float = 0.998
    """How much of the averaged weights, which are the ones kept, each step keeps; 0: no averaging."""
    frozen_stages: int | None = None
    """How many of the backbone's stages (C2 is the first) keep their pretrained numbers; with --weights none,
    none do. Default: the method's."""

    flip: float = 0.5
    """How often a photo is mirrored."""
    vertical_flip: float = 0.0
    """How often a photo is turned upside down: for photos from above, where that is as likely."""
    crop_policy: Crops | None = None
    """What part of a photo is shown: "jitter" (see --scale), or "ssd", that paper's patches and wide grounds.
    Default: the method's."""
    scale: tuple[float, float] = (0.75, 1.33)
    """Photos are enlarged by a random factor between these, then cropped or padded to their size."""
    color_jitter: float = 0.5
    """How often brightness, contrast and colors are changed."""

    num_validations: int = 3
    """How often the validation split is looked at, evenly over the training; the best weights are kept."""
    save_seconds: float = 60.0
    """A checkpoint to resume from is written at least this often."""

    split_seed: int = 0
    """Of the split, for data sets that have none of their own."""
    split_file: Path | None = None
    """A JSON file of the split: {"train": [names], "val": [...], "test": [...]}."""
    on_bad_boxes: Literal["error", "skip"] = "error"
    """What to do about labels that cannot be boxes."""
    on_unseen_classes: Literal["error", "skip"] = "error"
    """What to do about classes that no training photo shows."""

    classes_file: Path | None = None
    """Pixels: what the colors or numbers of the label images mean; default: the set's own classes.txt, .csv
    or .json."""
    on_unknown_colors: Literal["error", "skip"] = "error"
    """Pixels: what to do about colors that the classes file does not name."""
    class_weights: Literal["none", "balanced"] = "none"
    """Pixels: whether rare classes weigh more in the loss, by the median frequency over their own."""
    workers: int = 1
    """Processes that read and augment photos; 0: none besides the one that trains."""
    cache_megabytes: int = 1000
    """Resized photos are kept in memory, up to this much."""
    device: Literal["auto", "cpu"] = "auto"
    """ "auto" takes a GPU where there is one; or "cpu"."""
    precision: Literal["no", "fp16", "bf16"] = "no"
    """Mixed precision, for GPUs."""

    def __post_init__(self) -> None:
        """Raise UsageError for values that cannot be meant."""
        if self.max_minutes is not None and self.epochs is not None:
            raise UsageError("give --max-minutes or --epochs, not both")
        for names, fits, expected in LIMITS:
            for name in names:
                value = getattr(self, name)
                if value is not None and not fits(value):
                    raise UsageError(f"--{name.replace('_', '-')}: expected {expected}, found {value}")
        _ = self.option_values  # raises for what cannot be meant
        low, high = self.scale
        if not 0 < low <= high < math.inf:
            raise UsageError(f"--scale: expected two factors, the smaller first, found {low} {high}")

    @property
    def option_values(self) -> dict[str, object]:
        """What `set` says; UsageError for what is not NAME=VALUE."""
        return dict(_number(text) for text in self.model_options)

    @property
    def joined(self) -> bool:
        """Whether the network begins with what others have learned."""
        return self.detector is not None or self.classifier is not None

    @property
    def method(self) -> MethodDefaults:
        """What was chosen of the method's own numbers, and what suits it of the others."""
        own = METHOD_DEFAULTS.get(self.model, MethodDefaults())
        chosen = {field.name: getattr(self, field.name) for field in fields(MethodDefaults)}
        return replace(own, **{name: value for name, value in chosen.items() if value is not None})

    def with_method_defaults(self) -> Recipe:
        """The same with the method's numbers written out, so that a later version cannot change them."""
        return replace(self, **asdict(self.method))

    @property
    def minutes(self) -> float | None:
        """How long to train; None where the epochs decide."""
        return self.max_minutes if self.max_minutes or self.epochs else DEFAULT_MINUTES


def _number(text: str) -> tuple[str, object]:
    """Name and value; a value that is no number, truth or tuple of Python's is taken as text."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name.isidentifier() and equals):
        raise UsageError(
            f"--model-option {text}: expected NAME=VALUE, for example --model-option nms_iou=0.4"
        )
    if name in ELSEWHERE:
        raise UsageError(f"--model-option {text}: {ELSEWHERE[name]}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError):
        return name, value
