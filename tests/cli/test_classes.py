"""Classes by name on the command line: training and evaluation use the same ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import QUICK_FLAGS

from boxmask.weights.checkpoint import load_model


def test_an_evaluation_uses_the_classes_of_the_training(
    boxmask: Callable[..., Any], refused: Callable[..., str], demo: Path, here: Path
) -> None:
    flags = [*QUICK_FLAGS.split(), "--model", "retinanet", "--out", "run", "--on-unseen-classes", "skip"]
    message = refused(2, "train", demo, *flags, "--classes", "sevn")
    assert 'no class "sevn". Did you mean "seven"?' in message
    chosen = ["--classes", "low", "seven", "--map", "one=low", "two=low"]
    trained = boxmask("train", demo, *flags, *chosen)
    assert trained.status == 0
    assert "Classes that --classes leaves out (7); the first: " in trained.err
    assert load_model(here / "run", "cpu").config.class_names == ("seven", "low") or load_model(
        here / "run", "cpu"
    ).config.class_names == ("low", "seven")
    evaluated = boxmask("evaluate", "run", demo, "--json", "-", "--split", "all")
    assert set(json.loads(evaluated.out)["per_class"]) <= {"low", "seven"}
    narrower = boxmask("evaluate", "run", demo, "--json", "-", "--split", "all", "--classes", "seven")
    assert set(json.loads(narrower.out)["per_class"]) == {"seven"}


def test_classes_are_chosen_in_conversions_and_checks(
    boxmask: Callable[..., Any], demo: Path, here: Path
) -> None:
    chosen = ["--classes", "low", "seven", "--map", "one=low", "two=low"]
    converted = boxmask("convert", demo, "--to", "coco", "--out", "coco", *chosen)
    assert converted.status == 0, converted.err
    document = json.loads(next((here / "coco").rglob("instances_train.json")).read_text())
    assert {category["name"] for category in document["categories"]} == {"low", "seven"}
    assert len(document["images"]) == 18
    checked = boxmask("check", "coco", "--json", "-", "--map", "low=small")
    classes = json.loads(checked.out)["summary"]["classes"]
    assert [entry["name"] for entry in classes] == ["small", "seven"]
