"""The fields of `Recipe` as keyword arguments, so that editors complete and check `boxmask.train(...)`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from boxmask.runs.method_defaults import CropPolicy
from boxmask.runs.recipe_values import TrackerName


class RecipeOptions(TypedDict, total=False):
    """The fields are those of `Recipe`, which describes them. Paths can also be text or a `Run`."""

    model: str
    max_minutes: float | None
    size: int | Literal["auto"] | None
    init: str | os.PathLike[str] | None
    seed: int
    preset: str
    backbone: str | None
    weights: str
    detector: str | os.PathLike[str] | None
    classifier: str | os.PathLike[str] | None
    model_options: Mapping[str, object] | tuple[str, ...]
    anchors: Literal["auto", "preset"]
    epochs: int | None
    training: Literal["joint", "alternating"]
    warmup: float
    num_validations: int | None
    patience: int | None
    max_regions: int | None
    batch_size: int | Literal["auto"]
    optimizer: Literal["adamw", "sgd"]
    learning_rate: float | None
    backbone_lr_mult: float
    weight_decay: float
    clip_norm: float
    ema_decay: float
    frozen_stages: int | None
    flip: float
    vertical_flip: float
    crop_policy: CropPolicy | None
    scale: tuple[float, float]
    color_jitter: float
    copy_paste: float
    mosaic: float
    sampling: Literal["uniform", "balanced"]
    split_seed: int | None
    split_file: str | os.PathLike[str] | None
    group_by: str | None
    on_bad_boxes: Literal["error", "skip"] | None
    on_bad_photos: Literal["error", "skip"]
    on_unseen_classes: Literal["error", "skip"]
    classes: Sequence[str] | None
    map: Mapping[str, str] | tuple[str, ...]
    classes_file: str | os.PathLike[str] | None
    on_unknown_colors: Literal["error", "skip"]
    class_weights: Literal["none", "balanced"]
    workers: int
    cache_megabytes: int
    save_seconds: float
    device: str
    precision: Literal["no", "fp16", "bf16"]
    log_with: Sequence[TrackerName]
