import re
from typing import Any

import pytest

from boxmask.errors import UsageError
from boxmask.training.recipe import DEFAULT_MINUTES, Recipe


def test_without_an_end_training_takes_the_default_minutes() -> None:
    assert Recipe().minutes == DEFAULT_MINUTES
    assert Recipe(max_minutes=3).minutes == 3
    assert Recipe(epochs=3).minutes is None


def test_two_ends_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--max-minutes or --epochs, not both"):
        Recipe(max_minutes=1, epochs=1)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"max_minutes": 0.0}, "--max-minutes: expected more than 0, found 0.0"),
        ({"epochs": 0}, "--epochs: expected more than 0, found 0"),
        ({"size": 0}, "--size: expected more than 0, found 0"),
        ({"batch_size": -1}, "--batch-size: expected more than 0, found -1"),
        ({"learning_rate": float("nan")}, "--learning-rate: expected more than 0, found nan"),
        ({"learning_rate": float("inf")}, "--learning-rate: expected more than 0, found inf"),
        ({"validations": 0}, "--validations: expected more than 0, found 0"),
        ({"clip_norm": 0.0}, "--clip-norm: expected more than 0, found 0.0"),
        ({"save_seconds": -1.0}, "--save-seconds: expected more than 0, found -1.0"),
        ({"seed": -1}, "--seed: expected 0 or more, found -1"),
        ({"split_seed": -1}, "--split-seed: expected 0 or more, found -1"),
        ({"workers": -1}, "--workers: expected 0 or more, found -1"),
        ({"backbone_rate": -0.1}, "--backbone-rate: expected 0 or more, found -0.1"),
        ({"weight_decay": -0.1}, "--weight-decay: expected 0 or more, found -0.1"),
        ({"cache_megabytes": -1}, "--cache-megabytes: expected 0 or more, found -1"),
        ({"flip": 1.5}, "--flip: expected 0 to 1, found 1.5"),
        ({"vertical_flip": -0.5}, "--vertical-flip: expected 0 to 1, found -0.5"),
        ({"photometric": 2.0}, "--photometric: expected 0 to 1, found 2.0"),
        ({"warmup": 1.0}, "--warmup: expected 0 or more and less than 1, found 1.0"),
        ({"ema": 1.0}, "--ema: expected 0 or more and less than 1, found 1.0"),
        ({"frozen_stages": 5}, "--frozen-stages: expected 0 to 4, found 5"),
        ({"scale": (1.5, 0.5)}, "--scale: expected two factors, the smaller first, found 1.5 0.5"),
        ({"scale": (0.0, 1.0)}, "--scale: expected two factors, the smaller first, found 0.0 1.0"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe(**choice)
