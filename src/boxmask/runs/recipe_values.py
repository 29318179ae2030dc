"""Which values the fields of a recipe may have."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Literal

from boxmask.errors import UsageError
from boxmask.json_numbers import is_number, to_float
from boxmask.messages import format_count
from boxmask.options import model_option, option

MIN_SIZE = 32  # pixels: the coarsest map of a backbone, of stride 32, then has one cell

TrackerName = Literal["tensorboard", "mlflow", "wandb"]
"""Programs that show the log of a training."""

POSITIVE: tuple[str, ...] = (
    "max_minutes",
    "epochs",
    "batch_size",
    "learning_rate",
    "clip_norm",
    "num_validations",
    "patience",
    "save_seconds",
    "max_regions",
)
NOT_NEGATIVE = ("seed", "split_seed", "workers", "cache_megabytes", "backbone_lr_mult", "weight_decay")
PROBABILITIES = ("flip", "vertical_flip", "color_jitter", "copy_paste", "mosaic")

LIMITS: tuple[tuple[tuple[str, ...], Callable[[float], bool], str], ...] = (
    (POSITIVE, lambda value: 0 < value < math.inf, "more than 0"),
    (("size",), lambda value: MIN_SIZE <= value < math.inf, f"{MIN_SIZE} or more"),
    (NOT_NEGATIVE, lambda value: 0 <= value < math.inf, "0 or more"),
    (PROBABILITIES, lambda value: 0 <= value <= 1, "0 to 1"),
    (("warmup", "ema_decay"), lambda value: 0 <= value < 1, "0 or more and less than 1"),
    (("frozen_stages",), lambda value: 0 <= value <= 4, "0 to 4"),
)
"""Fields, the test of their values, and the expected range in words."""

AUTO = "auto"
CAN_BE_AUTO = ("size", "batch_size")
"""Fields with limits that hold AUTO until training chooses their value."""

NOT_MODEL_OPTIONS = {
    "backbone": f"give {option('backbone')}",
    "class_names": "class names come from the labels",
}
"""Fields of a model's config that --model-option refuses, and where they come from instead."""


def check_exclusive(recipe: object, *pairs: tuple[str, str]) -> None:
    """Raise UsageError if both fields of a pair are given."""
    for first, second in pairs:
        if getattr(recipe, first) is not None and getattr(recipe, second) is not None:
            raise UsageError(f"give {option(first)} or {option(second)}, not both")


def check_limits(recipe: object) -> None:
    """Raise UsageError for a field outside its limits. Fields that are None or AUTO have no value yet."""
    for names, is_valid, expected in LIMITS:
        for name in names:
            value = getattr(recipe, name)
            if value == AUTO and name in CAN_BE_AUTO:
                continue
            if value is not None and not (is_number(value) and is_valid(to_float(value))):
                raise UsageError(f"{option(name)}: expected {expected}, found {value}")


def check_range(name: str, factors: tuple[float, float]) -> None:
    """Raise UsageError for factors that are not positive and in order."""
    low, high = factors
    if not 0 < low <= high < math.inf:
        raise UsageError(f"{option(name)}: expected two factors, smaller first, found {low} {high}")


def check_patience(patience: int | None, num_validations: int | None) -> None:
    """Raise UsageError if a training has too few validations to stop before its end."""
    if patience is not None and num_validations is not None and num_validations <= patience:
        count = format_count(num_validations, "validation")
        raise UsageError(
            f"{option('patience', str(patience))} stops no training with {count}: "
            f"expected more than {patience}. Raise {option('num_validations')}, or leave it out."
        )


def parse_model_option(text: str) -> tuple[str, object]:
    """NAME=VALUE as a name and a Python literal; a value that is no literal is taken as text."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name.isidentifier() and equals):
        raise UsageError(
            f"--model-option {text}: expected NAME=VALUE, for example {model_option('nms_iou', 0.4)}"
        )
    if name in NOT_MODEL_OPTIONS:
        raise UsageError(f"--model-option {text}: {NOT_MODEL_OPTIONS[name]}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError):
        return name, value
