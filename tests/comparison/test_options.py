"""What a comparison is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.comparison.options import CompareOptions, parse_detections, parse_forms, parse_names
from boxmask.comparison.shared_recipe import FOR_ONE_MODEL, SharedRecipe
from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe


def test_names_are_separated_by_commas_or_given_one_by_one() -> None:
    assert parse_names(("ssd,fcos", " rcnn ")) == ("ssd", "fcos", "rcnn")


def test_detections_are_named() -> None:
    assert parse_detections(("yolo=a/b=c.json",)) == (("yolo", Path("a/b=c.json")),)
    with pytest.raises(UsageError, match="expected NAME=FILE"):
        parse_detections(("c.json",))


def test_forms_are_known() -> None:
    assert parse_forms(("onnx,int8",)) == ("onnx", "int8")
    assert parse_forms(()) is None
    with pytest.raises(UsageError, match="expected torch, onnx, int8, found 'tflite'"):
        parse_forms(("tflite",))


def test_models_are_named_once() -> None:
    with pytest.raises(UsageError, match="ssd is named twice"):
        CompareOptions(models=("ssd", "fcos", "ssd"))


def test_a_training_takes_the_shared_values() -> None:
    recipe = SharedRecipe(size=320, epochs=3, flip=0.0).of_model("ssd", 7)
    assert recipe == Recipe(model="ssd", seed=7, size=320, epochs=3, flip=0.0)


def test_values_of_the_shared_recipe_are_checked() -> None:
    with pytest.raises(UsageError, match="max_minutes"):
        SharedRecipe(max_minutes=-1)


def test_fields_for_one_model_are_fields_of_the_recipe() -> None:
    assert set(FOR_ONE_MODEL) <= set(Recipe.__dataclass_fields__)
