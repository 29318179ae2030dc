"""A Mask R-CNN that starts from a Faster R-CNN and a classifier, through the program."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from boxmask.models.table import model_entry
from boxmask.runs.recipe import Recipe
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.weights.checkpoint import load_model, read_checkpoint

Call = Callable[..., Any]
Runs = Callable[[str], Path]

FROZEN = ("--learning-rate", "1e-12", "--weight-decay", "0", "--ema-decay", "0")  # weights hardly change
NAMES = (
    "eight",
    "five",
    "four",
    "one",
    "seven",
    "six",
    "three",
    "two",
    "zero",
)  # the classes that both models know


@pytest.fixture
def data(demo: Path, tmp_path: Path) -> Path:
    """The demo data set, with the class "nine" renamed to "neuf"."""
    root = Path(shutil.copytree(demo, tmp_path / "data"))
    for file in root.glob("instances_*.json"):
        labels = json.loads(file.read_text())
        for category in labels["categories"]:
            category["name"] = category["name"].replace("nine", "neuf")
        file.write_text(json.dumps(labels))
    return root


def flags_of(recipe: Recipe) -> tuple[str, ...]:
    """The flags of a recipe, without the backbone, which comes from the source models."""
    options = tuple(part for text in recipe.model_options for part in ("--model-option", text))
    short = ("--weights", "none", "--size", "64", "--batch-size", "6", "--epochs", "1", "--workers", "0")
    return ("--model", recipe.model, *short, "--num-validations", "1", *options)


def tensors_of(run: Path) -> dict[str, Tensor]:
    return read_checkpoint(run / "last.safetensors")[0]


def near(ours: Tensor, theirs: Tensor) -> bool:
    return ours.shape == theirs.shape and bool((ours - theirs).abs().max() < 1e-7)


def test_weights_come_from_both_models(
    boxmask: Call, here: Path, runs: Runs, recipes: dict[str, Recipe], data: Path
) -> None:
    detector, classifier = runs("faster-rcnn"), runs("classifier")
    sources = ("--detector", detector, "--classifier", classifier)
    completed = boxmask("train", data, *flags_of(recipes["mask-rcnn"]), *sources, *FROZEN, "--out", "run")
    assert completed.status == 0, completed.err
    rows = {line.split("  ")[0]: line for line in completed.err.splitlines()[:8]}
    assert next(iter(rows)) == "part"
    assert rows["backbone"].split() == ["backbone", str(classifier), "test_resnet"]
    for part in ("pyramid", "RPN", "fully connected layers"):
        assert rows[part].endswith(f"  {detector}")
    assert f"{detector}  9 of 10 classes (eight, five, four, " in rows["class scores"]
    assert rows["class scores"].endswith("; new: neuf")
    assert rows["mask head"].split() == ["mask", "head", "new", "not", "in", str(detector)]
    new, boxes, classes = (tensors_of(run) for run in (here / "run", detector, classifier))
    for key in (key for key in classes if key.startswith("backbone.")):
        assert near(new[f"boxes.{key}"], classes[key]), key
    last = ("box_head.logits.", "box_head.deltas.")
    for key, tensor in boxes.items():
        if not key.startswith(("backbone.", *last)):
            assert near(new[f"boxes.{key}"], tensor), key
    assert not all(near(new[f"boxes.{key}"], boxes[key]) for key in boxes if key.startswith("backbone."))


def rows_of(name: str, class_names: tuple[str, ...], each: int) -> slice:
    label = class_names.index(name)
    return slice(label * each, (label + 1) * each)


def test_an_unknown_class_is_newly_initialized(
    boxmask: Call, here: Path, runs: Runs, recipes: dict[str, Recipe], data: Path
) -> None:
    source = ("--detector", runs("faster-rcnn"))
    assert (
        boxmask("train", data, *flags_of(recipes["mask-rcnn"]), *source, *FROZEN, "--out", "run").status == 0
    )
    new, boxes = tensors_of(here / "run"), tensors_of(runs("faster-rcnn"))
    config = load_model(here / "run").config
    torch.manual_seed(0)
    untrained = model_entry("mask-rcnn").build(config, None).state_dict()
    old_names = load_model(runs("faster-rcnn")).config.class_names
    assert {*config.class_names} == {*NAMES, "neuf"}
    for key, each in (("box_head.logits.weight", 1), ("box_head.deltas.weight", 4)):
        for name in NAMES:
            known = boxes[key][rows_of(name, old_names, each)]
            assert near(new[f"boxes.{key}"][rows_of(name, config.class_names, each)], known)
        rows = rows_of("neuf", config.class_names, each)
        assert near(new[f"boxes.{key}"][rows], untrained[f"boxes.{key}"][rows])
        assert not near(new[f"boxes.{key}"][rows], boxes[key][rows_of("nine", old_names, each)])
    assert near(new["boxes.box_head.logits.weight"][-1], boxes["box_head.logits.weight"][-1])  # background
    for key in (key for key in untrained if key.startswith("mask_head.")):
        assert near(new[key], untrained[key]), key


def test_a_training_resumes_without_its_source_models(
    boxmask: Call,
    here: Path,
    runs: Runs,
    recipes: dict[str, Recipe],
    demo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind in ("faster-rcnn", "classifier"):
        shutil.copytree(runs(kind), here / kind)
    flags = (*flags_of(recipes["mask-rcnn"]), "--detector", "faster-rcnn", "--classifier", "classifier")
    assert boxmask("train", demo, *flags, "--out", "uninterrupted").status == 0
    stop_after(monkeypatch, 2)
    completed = boxmask("train", demo, *flags, "--out", "run")
    assert completed.status == 130
    assert "stopped; continue with: boxmask train --resume --out run" in completed.err
    monkeypatch.undo()
    for kind in ("faster-rcnn", "classifier"):
        shutil.rmtree(here / kind)
    monkeypatch.chdir(here)
    completed = boxmask("train", "--resume", "--out", here / "run")
    assert completed.status == 0, completed.err
    assert "test_resnet" not in completed.err
    for name in ("last.safetensors", "best.safetensors"):
        uninterrupted, resumed = (read_checkpoint(here / run / name)[0] for run in ("uninterrupted", "run"))
        assert all(torch.equal(uninterrupted[key], resumed[key]) for key in uninterrupted)


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Send Ctrl-C after this number of steps."""
    original = Report.step

    def step(self: Report, clock: Clock, losses: dict[str, float], images: int) -> None:
        original(self, clock, losses, images)
        if clock.step == steps:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Report, "step", step)


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize("source", [("--detector", "faster-rcnn"), ("--classifier", "classifier")])
def test_alternating_training_takes_no_source_models(
    refused: Callable[..., str], runs: Runs, demo: Path, source: tuple[str, str]
) -> None:
    flag, kind = source
    message = refused(2, "train", demo, "--training", "alternating", flag, runs(kind))
    assert "starts twice from ImageNet weights. Leave out --init, --detector and --classifier." in message


def test_a_different_backbone_is_an_error(refused: Callable[..., str], runs: Runs, demo: Path) -> None:
    flags = ("--model", "mask-rcnn", "--backbone", "resnet18", "--classifier", runs("classifier"))
    message = refused(1, "train", demo, *flags)
    assert "has backbone test_resnet, but the new network has resnet18" in message
    assert "--backbone test_resnet" in message


def test_missing_or_damaged_source_models_are_an_error(
    refused: Callable[..., str], demo: Path, trained: Path
) -> None:
    for flag in ("--init", "--detector", "--classifier"):
        message = refused(1, "train", demo, "--model", "mask-rcnn", flag, "nowhere")
        assert message == "boxmask: nowhere: there is no such checkpoint. Check the path.\n"
    message = refused(1, "train", demo, "--detector", trained / "log.jsonl")
    assert "log.jsonl: this is a JSON file, not a file of weights" in message
    message = refused(1, "train", demo, "--init", "ssd300_vgg16")
    assert "The published weights are called torchvision/ssd300_vgg16." in message


def test_a_finished_run_names_the_way_on(refused: Callable[..., str], demo: Path, trained: Path) -> None:
    message = refused(1, "train", "--resume", "--out", trained)
    assert f"To go on from its weights: boxmask train {demo} --init {trained}." in message


def test_one_source_for_all_parts_is_enough(refused: Callable[..., str], demo: Path, trained: Path) -> None:
    message = refused(2, "train", demo, "--init", trained, "--detector", trained)
    assert "give --init or --detector, not both" in message
