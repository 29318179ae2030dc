"""Every kind of model through the program: trained, judged, used; and what cannot be."""

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
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.*"))


# ---------------------------------------------------------------- train


def test_a_segmenter_is_trained_on_label_images(
    boxmask: Call, here: Path, label_maps: Path, quick_flags: tuple[str, ...]
) -> None:
    (here / "mine.txt").write_text("ground\ndigit\n")
    numbers = ("--model-option", "channels=(16, 16, 8, 8)", "--model-option", "border_weight=5")
    labels = ("--classes-file", "mine.txt", "--class-weights", "balanced")
    ended = boxmask("train", label_maps, "--model", "unet", *quick_flags, *numbers, *labels)
    assert (ended.status, ended.out) == (0, "runs/unet-1\n"), ended.err
    assert "unet on " in ended.err
    assert "18 train, 2 val, 4 test photos; ground, digit" in ended.err
    assert "100 %  validation: mIoU 0." in ended.err
    config = load_model(here / "runs" / "unet-1").config
    assert (config.channels, config.border_weight) == ((16, 16, 8, 8), 5)
    assert config.class_weights[0] < 1 < config.class_weights[1]
    said = boxmask("evaluate", "runs/unet-1", label_maps, "--classes-file", "mine.txt", "--json", "-")
    assert set(json.loads(said.out)["per_class"]) == {"ground", "digit"}


def test_a_classifier_is_trained_on_folders(boxmask: Call, here: Path, quick_flags: tuple[str, ...]) -> None:
    for number in range(24):
        light = number % 2 * 128
        file = here / "things" / ("bright" if light else "dark") / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(light, light + 100, (24, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file)
    ended = boxmask("train", "things", "--model", "classifier", *quick_flags)
    assert (ended.status, ended.out) == (0, "runs/classifier-1\n"), ended.err
    assert "photos; bright, dark" in ended.err
    assert "objects to be classified" not in ended.err
    assert "validation: accuracy" in ended.err
    assert boxmask("evaluate", "runs/classifier-1", "things").status == 0
    ended = boxmask("predict", "runs/classifier-1", "things/dark", "--out", "said")
    assert (ended.status, ended.out) == (0, "12 photos\nsaid/classes.csv\n")


def test_one_class_is_nothing_to_tell_apart(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "set" / "cat").mkdir(parents=True)
    for number in range(10):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / "set" / "cat" / f"{number}.png")
    said = refused(1, "train", tmp_path / "set", "--model", "classifier")
    assert "a classifier needs at least two classes, found one class, cat. Add another." in said


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
        (["--model", "mask-rcnn", "--class-weights", "balanced"], 2, "--class-weights is for fcn"),
        (["--model", "classifier", "--crop-policy", "ssd"], 2, "--crop-policy ssd is for detectors"),
        (["--model", "fcn", "--model-option", "tile=64", "--size", "64"], 2, "--size scales photos"),
        (["--model", "segnet"], 2, "unknown model 'segnet'; choose from: rcnn"),
    ],
)
def test_choices_that_cannot_be_meant(
    refused: Refused, demo: Path, flags: list[str], status: int, message: str
) -> None:
    assert message in refused(status, "train", demo, *flags, "--weights", "none")


@pytest.mark.parametrize(
    ("model", "message"),
    [("unet", "its objects have boxes but no masks"), ("mask-rcnn", "no training object has an outline")],
)
def test_boxes_are_not_enough(refused: Refused, boxes_only: Path, model: str, message: str) -> None:
    assert message in refused(1, "train", boxes_only, "--model", model, "--weights", "none")


def test_label_images_without_a_classes_file_come_with_one_to_fill_in(
    refused: Refused, label_maps: Path
) -> None:
    said = refused(1, "train", label_maps, "--model", "unet", "--weights", "none")
    assert "classes.txt" in said


# ---------------------------------------------------------------- evaluate


@pytest.mark.parametrize("kind", JSON)
def test_figures_are_the_same_in_the_file_and_in_python(
    boxmask: Call, here: Path, runs: Runs, demo: Path, kind: str
) -> None:
    ended = boxmask("evaluate", runs(kind), demo, "--json", "figures.json", "--pictures", "pictures")
    assert ended.status == 0, ended.err
    assert ended.out.strip()
    figures = json.loads((here / "figures.json").read_text())
    assert JSON[kind] <= set(figures)
    assert figures == json.loads(json.dumps(verbs.evaluate(runs(kind), demo).to_dict()))
    assert len(files_in(here / "pictures")) == (1 if kind == "classifier" else 4)


def test_the_json_alone(boxmask: Call, runs: Runs, demo: Path) -> None:
    ended = boxmask("evaluate", runs("tiles"), demo, "--split", "val", "--json", "-")
    assert json.loads(ended.out)["images"] == 2


def test_pixels_that_nothing_names(refused: Refused, runs: Runs, label_maps: Path, here: Path) -> None:
    assert "classes.txt" in refused(1, "evaluate", runs("unet"), label_maps)
    (here / "part.txt").write_text("background,0\n")
    said = refused(1, "evaluate", runs("unet"), label_maps, "--classes-file", "part.txt")
    assert "--on-unknown-colors skip" in said
    said = refused(1, "evaluate", runs("unet"), label_maps, "--classes-file", "gone.txt")
    assert "gone.txt" in said


@pytest.mark.parametrize("kind", ["mask-rcnn", "classifier"])
def test_colors_are_for_segmenters(refused: Refused, runs: Runs, demo: Path, kind: str) -> None:
    said = refused(2, "evaluate", runs(kind), demo, "--classes-file", "mine.txt")
    assert "--classes-file and --on-unknown-colors are for segmenters" in said


@pytest.mark.parametrize("kind", ["mask-rcnn", "unet", "classifier"])
def test_svd_is_for_a_fast_rcnn(refused: Refused, runs: Runs, demo: Path, kind: str) -> None:
    for verb, given in (("evaluate", demo), ("predict", demo / "images")):
        assert "--svd needs a Fast R-CNN" in refused(2, verb, runs(kind), given, "--svd", "8", "8")


# ---------------------------------------------------------------- predict


def test_outlines_are_written(boxmask: Call, here: Path, runs: Runs, demo: Path) -> None:
    photos = sorted((demo / "images").glob("test-*.jpg"))
    ended = boxmask("predict", runs("mask-rcnn"), *photos[:2], "--save", "png,coco,labelme,label-maps")
    assert ended.status == 0, ended.err
    one, two = (photo.stem for photo in photos[:2])
    expected = [f"{one}.png", f"{two}.png", "detections.json"]
    expected += [f"labelme/{name}.json" for name in (one, two)]
    assert files_in(here / "predictions") == sorted(
        [*expected, f"label-maps/{one}.png", f"label-maps/{two}.png"]
    )
    written = json.loads((here / "predictions" / "detections.json").read_text())["annotations"]
    assert any("segmentation" in annotation for annotation in written)


def test_maps_are_written(boxmask: Call, here: Path, runs: Runs, demo: Path) -> None:
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    for kind in ("unet", "tiles"):
        ended = boxmask("predict", runs(kind), photo, "--out", kind)
        assert (ended.status, ended.out) == (0, f"1 photos\n{kind}\n")
        assert files_in(here / kind) == sorted(
            ["classes.txt", f"label-maps/{photo.stem}.png", f"{photo.stem}.jpg"]
        )
        labels = np.array(Image.open(here / kind / "label-maps" / f"{photo.stem}.png"))
        assert labels.shape == Image.open(photo).size[::-1]
        assert labels.max() <= 10


def test_what_each_photo_shows_is_written(boxmask: Call, here: Path, runs: Runs, demo: Path) -> None:
    ended = boxmask("predict", runs("classifier"), demo / "images" / "test-*.jpg", "--out", "said")
    assert (ended.status, ended.out, ended.err) == (0, "4 photos\nsaid/classes.csv\n", "")
    with (here / "said" / "classes.csv").open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading[:3] == ["photo", "class", "zero"]
    assert len(rows) == 4


def test_a_photo_that_cannot_be_read_does_not_stop_a_classifier(
    boxmask: Call, here: Path, runs: Runs, demo: Path
) -> None:
    (here / "broken.jpg").write_bytes(b"not a photo")
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    ended = boxmask("predict", runs("classifier"), photo, "broken.jpg")
    assert ended.status == 1
    assert ended.out == "1 photos\npredictions/classes.csv\n"
    assert "boxmask: broken.jpg: " in ended.err


@pytest.mark.parametrize(
    ("kind", "form", "message"),
    [
        ("unet", "coco", "--save coco: needs separate objects"),
        ("unet", "labelme", "--save labelme: needs separate objects"),
        ("faster-rcnn", "label-maps", "--save label-maps: needs masks"),
        ("classifier", "jpg", "--save: a classifier writes classes.csv; leave the flag out"),
        ("mask-rcnn", "", "--save nothing: unknown format"),
    ],
)
def test_a_form_that_is_not_possible(
    refused: Refused, runs: Runs, demo: Path, kind: str, form: str, message: str
) -> None:
    assert message in refused(2, "predict", runs(kind), demo / "images", "--save", form)
