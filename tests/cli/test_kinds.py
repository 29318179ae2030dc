"""Every kind of model through the program: train, evaluate and predict."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import boxmask as verbs
from boxmask.weights.checkpoint import load_model

Call = Callable[..., Any]
Refused = Callable[..., str]
Runs = Callable[[str], Path]

JSON = {
    "mask-rcnn": {"AP", "AP50", "mask_AP", "mask_AP50", "boundary_AP", "per_class", "images"},
    "unet": {"mIoU", "pixel_accuracy", "per_class", "Dice", "images"},
    "tiles": {"mIoU", "pixel_accuracy", "per_class", "Dice", "images"},
    "classifier": {"accuracy", "mean_accuracy", "per_class", "confusion", "images", "photos"},
}


def files_in(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("[!.]*.*"))


# ---------------------------------------------------------------- train


def test_a_segmenter_is_trained_on_label_maps(
    boxmask: Call, here: Path, label_maps: Path, quick_flags: tuple[str, ...]
) -> None:
    (here / "mine.txt").write_text("ground\ndigit\n")
    options = ("--model-option", "channels=(16, 16, 8, 8)", "--model-option", "border_weight=5")
    labels = ("--classes-file", "mine.txt", "--class-weights", "balanced")
    completed = boxmask("train", label_maps, "--model", "unet", *quick_flags, *options, *labels)
    assert (completed.status, completed.out) == (0, "runs/unet-1\n"), completed.err
    assert "unet on " in completed.err
    assert "18 train, 2 val, 4 test photos; ground, digit" in completed.err
    assert "100 %  validation: mIoU 0." in completed.err
    config = load_model(here / "runs" / "unet-1").config
    assert (config.channels, config.border_weight) == ((16, 16, 8, 8), 5)
    assert config.class_weights[0] < 1 < config.class_weights[1]
    report = boxmask("evaluate", "runs/unet-1", label_maps, "--classes-file", "mine.txt", "--json", "-")
    assert set(json.loads(report.out)["per_class"]) == {"ground", "digit"}


def test_a_classifier_is_trained_on_folders(boxmask: Call, here: Path, quick_flags: tuple[str, ...]) -> None:
    for number in range(24):
        brightness = number % 2 * 128
        file = here / "things" / ("bright" if brightness else "dark") / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(
            brightness, brightness + 100, (24, 30, 3), dtype=np.uint8
        )
        Image.fromarray(pixels).save(file)
    completed = boxmask("train", "things", "--model", "classifier", *quick_flags)
    assert (completed.status, completed.out) == (0, "runs/classifier-1\n"), completed.err
    assert "photos; bright, dark" in completed.err
    assert "objects to be classified" not in completed.err
    assert "validation: accuracy" in completed.err
    assert boxmask("evaluate", "runs/classifier-1", "things").status == 0
    completed = boxmask("predict", "runs/classifier-1", "things/dark", "--out", "classes")
    assert (completed.status, completed.out) == (0, "12 photos\nclasses\n")


def test_a_classifier_needs_two_classes(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "set" / "cat").mkdir(parents=True)
    for number in range(10):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / "set" / "cat" / f"{number}.png")
    message = refused(1, "train", tmp_path / "set", "--model", "classifier")
    assert "a classifier needs at least two classes, found one class, cat. Add another." in message


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (
            ["--model", "unet", "--model-option", "towers=4"],
            2,
            "unet has no option 'towers'; choose from: antialias",
        ),
        (["--model", "unet", "--model-option", "dropout=much"], 2, "dropout: expected float, found 'much'"),
        (["--model", "unet", "--model-option", "dropout"], 2, "--model-option dropout: expected NAME=VALUE"),
        (["--model", "unet", "--preset", "fpn"], 2, "unet has no preset 'fpn'; choose from: default, paper"),
        (["--model", "mask-rcnn", "--preset", "resnet"], 2, "mask-rcnn has no preset 'resnet'"),
        (
            ["--model", "mask-rcnn", "--class-weights", "balanced"],
            2,
            "--class-weights (in Python: class_weights) is for fcn",
        ),
        (
            ["--model", "classifier", "--crop-policy", "ssd"],
            2,
            '--crop-policy ssd (in Python: crop_policy="ssd") is for detectors',
        ),
        (["--model", "fcn", "--model-option", "tile=64", "--size", "64"], 2, "--size resizes photos"),
        (["--model", "segnet"], 2, "unknown model 'segnet'; choose from: rcnn"),
    ],
)
def test_invalid_options_are_wrong_usage(
    refused: Refused, demo: Path, flags: list[str], status: int, message: str
) -> None:
    assert message in refused(status, "train", demo, *flags, "--weights", "none")


@pytest.mark.parametrize(
    ("model", "message"),
    [("unet", "its objects have boxes but no masks"), ("mask-rcnn", "no training object has a mask")],
)
def test_models_of_masks_need_masks(refused: Refused, boxes_only: Path, model: str, message: str) -> None:
    assert message in refused(1, "train", boxes_only, "--model", model, "--weights", "none")


def test_label_maps_need_a_classes_file(refused: Refused, label_maps: Path) -> None:
    message = refused(1, "train", label_maps, "--model", "unet", "--weights", "none")
    assert "classes.txt" in message


# ---------------------------------------------------------------- evaluate


@pytest.mark.parametrize("kind", JSON)
def test_metrics_are_the_same_in_the_json_file_and_in_python(
    boxmask: Call, here: Path, runs: Runs, demo: Path, kind: str
) -> None:
    completed = boxmask("evaluate", runs(kind), demo, "--json", "metrics.json", "--pictures", "pictures")
    assert completed.status == 0, completed.err
    assert completed.out.strip()
    metrics = json.loads((here / "metrics.json").read_text())
    assert JSON[kind] <= set(metrics)
    assert metrics == json.loads(json.dumps(verbs.evaluate(runs(kind), demo).to_dict()))
    assert len(files_in(here / "pictures")) == (1 if kind == "classifier" else 4)


def test_a_dash_prints_only_the_json(boxmask: Call, runs: Runs, demo: Path) -> None:
    completed = boxmask("evaluate", runs("tiles"), demo, "--split", "val", "--json", "-")
    assert json.loads(completed.out)["images"] == 2


def test_label_maps_are_read_with_a_classes_file(
    refused: Refused, runs: Runs, label_maps: Path, here: Path
) -> None:
    assert "classes.txt" in refused(1, "evaluate", runs("unet"), label_maps)
    (here / "part.txt").write_text("background,0\n")
    message = refused(1, "evaluate", runs("unet"), label_maps, "--classes-file", "part.txt")
    assert "--on-unknown-colors skip" in message
    message = refused(1, "evaluate", runs("unet"), label_maps, "--classes-file", "gone.txt")
    assert "gone.txt" in message


@pytest.mark.parametrize("kind", ["mask-rcnn", "classifier"])
def test_only_segmenters_take_a_classes_file(refused: Refused, runs: Runs, demo: Path, kind: str) -> None:
    message = refused(2, "evaluate", runs(kind), demo, "--classes-file", "mine.txt")
    assert "--on-unknown-colors (in Python: on_unknown_colors) are for segmenters" in message


@pytest.mark.parametrize("kind", ["mask-rcnn", "unet", "classifier"])
def test_svd_is_for_fast_rcnn(refused: Refused, runs: Runs, demo: Path, kind: str) -> None:
    for verb, path in (("evaluate", demo), ("predict", demo / "images")):
        assert "--svd (in Python: compress_with_svd) needs a Fast R-CNN" in refused(
            2, verb, runs(kind), path, "--svd", "8", "8"
        )


# ---------------------------------------------------------------- predict


def test_masks_are_written_in_every_format(boxmask: Call, here: Path, runs: Runs, demo: Path) -> None:
    photos = sorted((demo / "images").glob("test-*.jpg"))
    completed = boxmask("predict", runs("mask-rcnn"), *photos[:2], "--save", "png,coco,labelme,label-maps")
    assert completed.status == 0, completed.err
    one, two = (photo.stem for photo in photos[:2])
    expected = [f"{one}.png", f"{two}.png", "detections.json"]
    expected += [f"labelme/{name}.json" for name in (one, two)]
    assert files_in(here / "predictions") == sorted(
        [*expected, f"label-maps/{one}.png", f"label-maps/{two}.png"]
    )
    written = json.loads((here / "predictions" / "detections.json").read_text())["annotations"]
    assert any("segmentation" in annotation for annotation in written)


def test_label_maps_are_written(boxmask: Call, here: Path, runs: Runs, demo: Path) -> None:
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    for kind in ("unet", "tiles"):
        completed = boxmask("predict", runs(kind), photo, "--out", kind)
        assert (completed.status, completed.out) == (0, f"1 photo\n{kind}\n")
        assert files_in(here / kind) == sorted(
            ["classes.txt", f"label-maps/{photo.stem}.png", f"{photo.stem}.jpg"]
        )
        labels = np.array(Image.open(here / kind / "label-maps" / f"{photo.stem}.png"))
        assert labels.shape == Image.open(photo).size[::-1]
        assert labels.max() <= 10


def test_the_class_of_each_photo_is_written(boxmask: Call, here: Path, runs: Runs, demo: Path) -> None:
    completed = boxmask("predict", runs("classifier"), demo / "images" / "test-*.jpg", "--out", "classes")
    assert (completed.status, completed.out, completed.err) == (0, "4 photos\nclasses\n", "")
    with (here / "classes" / "classes.csv").open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading[:3] == ["photo", "class", "eight"]
    assert len(rows) == 4


def test_an_unreadable_photo_does_not_stop_the_others(
    boxmask: Call, here: Path, runs: Runs, demo: Path
) -> None:
    (here / "broken.jpg").write_bytes(b"not a photo")
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    completed = boxmask("predict", runs("classifier"), photo, "broken.jpg")
    assert completed.status == 1
    assert completed.out == "1 photo\npredictions\n"
    assert "boxmask: broken.jpg: " in completed.err


@pytest.mark.parametrize(
    ("kind", "formats", "message"),
    [
        ("unet", "coco", "--save coco: needs separate objects"),
        ("unet", "labelme", "--save labelme: needs separate objects"),
        ("faster-rcnn", "label-maps", "--save label-maps: needs masks"),
        ("classifier", "jpg", "--save: a classifier writes classes.csv; leave the flag out"),
        ("mask-rcnn", "", "--save nothing: unknown format"),
    ],
)
def test_a_format_that_the_task_does_not_have_is_wrong_usage(
    refused: Refused, runs: Runs, demo: Path, kind: str, formats: str, message: str
) -> None:
    assert message in refused(2, "predict", runs(kind), demo / "images", "--save", formats)
