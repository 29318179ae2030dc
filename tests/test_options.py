"""Names of options in messages, and values from fixed sets."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest

import boxmask
from boxmask.errors import UsageError
from boxmask.options import check_choice, model_option, option
from boxmask.tasks.contract import LabelOptions


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("size",), "--size"),
        (("weights", "none"), "--weights none"),
        (("learning_rate",), "--learning-rate (in Python: learning_rate)"),
        (("on_bad_photos", "skip"), '--on-bad-photos skip (in Python: on_bad_photos="skip")'),
    ],
)
def test_an_option_is_named_as_users_write_it(arguments: tuple[str, ...], text: str) -> None:
    assert option(*arguments) == text


def test_a_model_option() -> None:
    assert model_option("tile", 0) == '--model-option tile=0 (in Python: model_options={"tile": 0})'


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Literal["a", "b"], "b"),
        (Literal["a", "b"] | None, None),
        (Literal["a"] | Literal["b"], "b"),
        (str, "anything"),
        (int | None, "anything"),
        (int | Literal["auto"], 7),
        (int | Literal["auto"], "auto"),
        (tuple[Literal["a", "b"], ...], ("b", "a")),
        (tuple[str, ...], ("anything",)),
    ],
)
def test_values_that_are_accepted(annotation: Any, value: object) -> None:
    check_choice("name", value, annotation)


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Literal["a", "b"], "c", '--on-x (in Python: on_x): expected one of "a", "b", found "c"'),
        (Literal["a", "b"], None, 'expected one of "a", "b", found None'),
        (Literal["a"] | None, "", 'expected one of "a", None, found ""'),
        (Literal["a"], ["a"], "found ['a']"),
        (Literal[1, 2], 3, "expected one of 1, 2, found 3"),
        (int | Literal["auto"], "7", 'expected one of a whole number, "auto", found "7"'),
        (tuple[Literal["a", "b"], ...], ("a", "c"), 'expected one of "a", "b", found "c"'),
    ],
)
def test_values_that_are_refused(annotation: Any, value: object, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        check_choice("on_x", value, annotation)


# ---------------------------------------------------------------- in Python


@pytest.mark.parametrize(
    ("name", "hint"),
    [("sise", ". Did you mean 'size'?"), ("max_minute", ". Did you mean 'max_minutes'?"), ("xyz", "")],
)
def test_train_refuses_an_unknown_option(name: str, hint: str) -> None:
    message = f"train() got an unexpected keyword argument '{name}'{hint}"
    with pytest.raises(TypeError, match=f"{re.escape(message)}$"):
        boxmask.train("nowhere", **{name: 1})  # type: ignore[arg-type]


def test_train_refuses_a_value_before_it_reads_anything() -> None:
    with pytest.raises(UsageError, match='expected one of "error", "skip", None, found "bogus"'):
        boxmask.train("no such folder", on_bad_boxes="bogus")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "tset"}, '--split: expected one of "train", "val", "test", "all", found "tset"'),
        ({"on_bad_photos": "ignore"}, 'on_bad_photos): expected one of "error", "skip", found "ignore"'),
        ({"on_bad_boxes": True}, 'on_bad_boxes): expected one of "error", "skip", None, found True'),
        ({"on_unseen_classes": None}, 'on_unseen_classes): expected one of "error", "skip", found None'),
        ({"on_unknown_colors": "s"}, 'on_unknown_colors): expected one of "error", "skip", None, found "s"'),
    ],
)
def test_evaluate_refuses_a_value_before_it_reads_anything(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        boxmask.evaluate("no such run", "no such folder", **arguments)


def test_label_options_have_defaults() -> None:
    assert LabelOptions().on_bad_photos == "error"
