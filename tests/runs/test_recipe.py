import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from boxmask.errors import UsageError
from boxmask.models.table import MODELS
from boxmask.runs.method_defaults import METHOD_DEFAULTS, MethodDefaults
from boxmask.runs.recipe import DEFAULT_MINUTES, Recipe


def test_training_takes_the_default_minutes() -> None:
    assert Recipe().minutes == DEFAULT_MINUTES
    assert Recipe(max_minutes=3).minutes == 3
    assert Recipe(epochs=3).minutes is None


@pytest.mark.parametrize(
    ("choices", "validations"),
    [({}, 3), ({"patience": 2}, 8), ({"num_validations": 5}, 5), ({"num_validations": 5, "patience": 4}, 5)],
)
def test_patience_brings_more_validations(choices: dict[str, int], validations: int) -> None:
    recipe = Recipe(**choices)  # type: ignore[arg-type]
    assert recipe.validations == validations
    assert recipe.with_method_defaults().num_validations == validations


def test_patience_needs_more_validations() -> None:
    message = (
        "--patience 3 stops no training with 3 validations: expected more than 3. Raise --num-validations"
    )
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe(patience=3, num_validations=3)


def test_a_split_file_and_groups_exclude_each_other() -> None:
    with pytest.raises(UsageError, match=r"--split-file .* or --group-by .*, not both"):
        Recipe(split_file=Path("split.json"), group_by="auto")


def test_minutes_and_epochs_exclude_each_other() -> None:
    with pytest.raises(UsageError, match=r"--max-minutes \(in Python: max_minutes\) or --epochs, not both"):
        Recipe(max_minutes=1, epochs=1)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"max_minutes": 0.0}, "--max-minutes: expected more than 0, found 0.0"),
        ({"epochs": 0}, "--epochs: expected more than 0, found 0"),
        ({"size": 0}, "--size: expected 32 or more, found 0"),
        ({"batch_size": -1}, "--batch-size: expected more than 0, found -1"),
        ({"learning_rate": float("nan")}, "--learning-rate: expected more than 0, found nan"),
        ({"learning_rate": float("inf")}, "--learning-rate: expected more than 0, found inf"),
        ({"num_validations": 0}, "--num-validations: expected more than 0, found 0"),
        ({"patience": 0}, "--patience: expected more than 0, found 0"),
        ({"clip_norm": 0.0}, "--clip-norm: expected more than 0, found 0.0"),
        ({"save_seconds": -1.0}, "--save-seconds: expected more than 0, found -1.0"),
        ({"seed": -1}, "--seed: expected 0 or more, found -1"),
        ({"split_seed": -1}, "--split-seed: expected 0 or more, found -1"),
        ({"size": 20}, "--size: expected 32 or more, found 20"),
        ({"workers": -1}, "--workers: expected 0 or more, found -1"),
        ({"backbone_lr_mult": -0.1}, "--backbone-lr-mult: expected 0 or more, found -0.1"),
        ({"weight_decay": -0.1}, "--weight-decay: expected 0 or more, found -0.1"),
        ({"cache_megabytes": -1}, "--cache-megabytes: expected 0 or more, found -1"),
        ({"flip": 1.5}, "--flip: expected 0 to 1, found 1.5"),
        ({"vertical_flip": -0.5}, "--vertical-flip: expected 0 to 1, found -0.5"),
        ({"color_jitter": 2.0}, "--color-jitter: expected 0 to 1, found 2.0"),
        ({"copy_paste": 1.5}, "--copy-paste: expected 0 to 1, found 1.5"),
        ({"mosaic": -0.1}, "--mosaic: expected 0 to 1, found -0.1"),
        ({"warmup": 1.0}, "--warmup: expected 0 or more and less than 1, found 1.0"),
        ({"ema_decay": 1.0}, "--ema-decay: expected 0 or more and less than 1, found 1.0"),
        ({"frozen_stages": 5}, "--frozen-stages: expected 0 to 4, found 5"),
        ({"scale": (1.5, 0.5)}, "--scale: expected two factors, smaller first, found 1.5 0.5"),
        ({"scale": (0.0, 1.0)}, "--scale: expected two factors, smaller first, found 0.0 1.0"),
    ],
)
def test_an_invalid_value_is_an_error(option: dict[str, Any], message: str) -> None:
    (name,) = option
    if "_" in name:
        message = message.replace(":", f" (in Python: {name}):", 1)
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe(**option)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"on_bad_boxes": "bogus"},
            'boxes (in Python: on_bad_boxes): expected one of "error", "skip", None,',
        ),
        (
            {"on_bad_photos": None},
            'photos (in Python: on_bad_photos): expected one of "error", "skip", found None',
        ),
        ({"on_unseen_classes": "drop"}, 'expected one of "error", "skip", found "drop"'),
        ({"on_unknown_colors": ["skip"]}, 'expected one of "error", "skip", found [\'skip\']'),
        ({"crop_policy": "random"}, 'expected one of "jitter", "large-jitter", "ssd", None, found "random"'),
        ({"precision": 16}, '--precision: expected one of "no", "fp16", "bf16", found 16'),
        ({"optimizer": "adam"}, '--optimizer: expected one of "adamw", "sgd", found "adam"'),
        ({"training": "Joint"}, '--training: expected one of "joint", "alternating", found "Joint"'),
        ({"sampling": "rare"}, '--sampling: expected one of "uniform", "balanced", found "rare"'),
        ({"class_weights": True}, 'expected one of "none", "balanced", found True'),
        ({"epochs": "3"}, "--epochs: expected more than 0, found 3"),
        ({"epochs": "auto"}, "--epochs: expected more than 0, found auto"),
        ({"size": "large"}, '--size: expected one of a whole number, "auto", None, found "large"'),
        ({"size": 320.5}, '--size: expected one of a whole number, "auto", None, found 320.5'),
        ({"batch_size": "many"}, 'expected one of a whole number, "auto", found "many"'),
        ({"log_with": ("excel",)}, 'expected one of "tensorboard", "mlflow", "wandb", found "excel"'),
    ],
)
def test_a_value_that_is_not_one_of_a_fixed_set_is_an_error(option: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe(**option)


def test_every_field_with_a_fixed_set_of_values_is_checked() -> None:
    fixed = [name for name, hint in get_type_hints(Recipe).items() if "Literal" in str(hint)]
    assert len(fixed) >= 9
    for name in fixed:
        with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}.*: expected one of"):
            Recipe(**{name: "bogus"})  # type: ignore[arg-type]


# ---------------------------------------------------------------- model options


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("tile=512", "tile", 512),
        ("nms_iou=0.4", "nms_iou", 0.4),
        (" nms_iou = 4e-1 ", "nms_iou", 0.4),
        ("depthwise=False", "depthwise", False),
        ("channels=(16, 8)", "channels", (16, 8)),
        ("norm=batch", "norm", "batch"),
        ("norm='batch'", "norm", "batch"),
        ("svd_ranks=None", "svd_ranks", None),
        ("norm=a=b", "norm", "a=b"),
        ("norm=", "norm", ""),
        ("norm={[]: 1}", "norm", "{[]: 1}"),
        ("norm=__import__('os').getcwd()", "norm", "__import__('os').getcwd()"),
    ],
)
def test_a_value_is_a_python_literal_or_text_and_never_executed(text: str, name: str, value: object) -> None:
    options = Recipe(model_options=(text,)).option_values
    assert options == {name: value}
    assert type(options[name]) is type(value)


def test_several_model_options() -> None:
    assert Recipe().option_values == {}
    assert Recipe(model_options=("a=1", "b=2")).option_values == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", ["tile", "=4", "", "two words=4", "4=tile", "a.b=3"])
def test_a_model_option_needs_a_name_and_a_value(text: str) -> None:
    with pytest.raises(
        UsageError, match=rf"--model-option {re.escape(text)}: expected NAME=VALUE, for example"
    ):
        Recipe(model_options=(text,))


def test_options_that_model_option_refuses() -> None:
    with pytest.raises(UsageError, match="--model-option backbone=resnet18: give --backbone"):
        Recipe(model_options=("backbone=resnet18",))
    with pytest.raises(UsageError, match="--model-option class_names=3: class names come from the labels"):
        Recipe(model_options=("tile=3", "class_names=3"))


# ---------------------------------------------------------------- defaults of the method


def test_options_that_are_not_given_have_the_defaults_of_the_method() -> None:
    for model in MODELS:
        assert Recipe(model=model).method == METHOD_DEFAULTS.get(model, MethodDefaults())
    assert METHOD_DEFAULTS["ssd"] != MethodDefaults()
    assert Recipe(model="ssd").method.frozen_stages == 1


def test_options_take_precedence_over_the_defaults_of_the_method() -> None:
    recipe = Recipe(model="ssd", frozen_stages=0, crop_policy="ssd")
    assert recipe.method == MethodDefaults(frozen_stages=0, crop_policy="ssd")
    assert Recipe(model="ssd", learning_rate=1e-5).method.learning_rate == 1e-5


def test_a_recipe_with_method_defaults_no_longer_depends_on_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolved = Recipe(model="ssd", flip=0.2).with_method_defaults()
    assert (resolved.learning_rate, resolved.frozen_stages, resolved.crop_policy) == (8e-4, 1, "jitter")
    assert resolved.flip == 0.2
    assert resolved.with_method_defaults() == resolved
    monkeypatch.setitem(METHOD_DEFAULTS, "ssd", MethodDefaults(learning_rate=1.0))
    assert resolved.method.learning_rate == 8e-4


def test_every_entry_of_the_table_is_a_model() -> None:
    assert METHOD_DEFAULTS.keys() <= MODELS.keys()
