"""Every kind of model from labels to weights: trained, stopped and gone on with, and what is said of it."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from boxmask.classifiers.contract import Classifier
from boxmask.data.classification.read import read_unsplit_classification
from boxmask.data.detection.read import read_detection
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.detectors.contract import Detector
from boxmask.errors import CheckpointError, LabelError, UsageError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe
from boxmask.segmenters.contract import Segmenter
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import load_model, read_checkpoint

Runs = Callable[[str], Path]
Recipes = dict[str, Recipe]

KINDS = {"mask-rcnn": Detector, "unet": Segmenter, "tiles": Segmenter, "classifier": Classifier}
FIGURES = {
    "mask-rcnn": ["mask_AP", "mask_AP50", "AP", "AP50", "images"],
    "unet": ["mIoU", "pixel_accuracy", "images"],
    "tiles": ["mIoU", "pixel_accuracy", "images"],
    "classifier": ["accuracy", "mean_accuracy", "images"],
}


class Watched(Report):
    """Notes what is said; asks for a stop, as Ctrl-C does, after so many steps."""

    def __init__(self, stop_after: int = 0) -> None:
        super().__init__()
        self.stop_after, self.said = stop_after, list[str]()

    def say(self, text: str) -> None:
        self.said.append(text)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        if clock.step == self.stop_after:
            signal.raise_signal(signal.SIGINT)


def same_weights(one: Path, other: Path) -> bool:
    ours, theirs = read_checkpoint(one)[0], read_checkpoint(other)[0]
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


# ---------------------------------------------------------------- a whole training


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_holds_what_it_promises(kind: str, runs: Runs, recipes: Recipes) -> None:
    run = Run(runs(kind))
    names = {file.name for file in run.path.iterdir()} - {"notes.txt"}
    assert names == {
        *("best.safetensors", "last.safetensors", "recipe.json", "split.json", "log.jsonl", "curve.png")
    }
    split = json.loads(run.split_file.read_text())
    assert {name: len(photos) for name, photos in split.items()} == {"train": 18, "val": 2, "test": 4}
    _, metadata = read_checkpoint(run.best_checkpoint)
    assert metadata.model == recipes[kind].model
    assert list(metadata.metrics) == FIGURES[kind]
    model = load_model(run.path)
    assert isinstance(model, KINDS[kind])
    assert not model.training


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_has_the_figures_of_the_task(kind: str, runs: Runs) -> None:
    rows = [json.loads(line) for line in Run(runs(kind)).log_file.read_text().splitlines()]
    judged = [row["val"] for row in rows if "val" in row]
    assert [list(figures) for figures in judged] == [FIGURES[kind]]
    assert all(0 <= figure <= 1 for name, figure in judged[0].items() if name != "images")


def test_numbers_of_the_recipe_are_the_networks(runs: Runs) -> None:
    config = load_model(runs("tiles")).config
    assert (config.tile, config.hidden, config.backbone) == (64, ((16, 3),), "test_resnet")
    assert load_model(runs("unet")).config.channels == (16, 16, 8, 8)


def test_the_names_of_the_classes_are_those_of_the_labels(runs: Runs, demo: Path) -> None:
    digits = read_detection(demo).class_names
    assert load_model(runs("mask-rcnn")).config.class_names == digits
    assert load_model(runs("classifier")).config.class_names == digits
    assert load_model(runs("unet")).config.class_names == ("background", *digits)


def test_the_fingerprint_is_that_of_the_labels_of_its_task(runs: Runs, demo: Path) -> None:
    of = {kind: read_checkpoint(Run(runs(kind)).last_checkpoint)[1].fingerprint for kind in KINDS}
    assert of["mask-rcnn"] == read_detection(demo).fingerprint()
    assert of["unet"] == of["tiles"] == read_unsplit_segmentation(demo).fingerprint()
    assert of["classifier"] == read_unsplit_classification(demo).fingerprint()


# ---------------------------------------------------------------- stopping and going on


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_training_goes_on_to_the_same_weights(
    kind: str, runs: Runs, recipes: Recipes, demo: Path, tmp_path: Path
) -> None:
    run, finished = train(demo, recipes[kind], tmp_path / "run", Watched(stop_after=2))
    assert not finished
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 2
    assert isinstance(load_model(run.path), KINDS[kind])
    whole = Run(runs(kind))
    assert not same_weights(run.last_checkpoint, whole.last_checkpoint)
    assert resume(run)
    assert same_weights(run.last_checkpoint, whole.last_checkpoint)
    assert same_weights(run.best_checkpoint, whole.best_checkpoint)
    assert not run.resume_file.exists()


def test_changed_outlines_are_not_gone_on_with(recipes: Recipes, demo: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo, tmp_path / "data"))
    run, _ = train(data, recipes["unet"], tmp_path / "run", Watched(stop_after=1))
    file = data / "instances_val.json"
    labels = json.loads(file.read_text())
    labels["annotations"][0]["segmentation"] = [[1, 1, 9, 1, 9, 9]]
    file.write_text(json.dumps(labels))
    with pytest.raises(CheckpointError, match="the data has changed since this training began"):
        resume(run)


def test_a_classes_file_is_found_from_another_folder(
    recipes: Recipes, label_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("ground\ndigit\n")
    monkeypatch.chdir(tmp_path)
    recipe = replace(recipes["unet"], classes_file=Path("mine.txt"), class_weights="balanced")
    run, finished = train(label_maps, recipe, tmp_path / "run", Watched(stop_after=1))
    assert not finished
    monkeypatch.chdir("/")
    assert resume(run)
    config = load_model(run.path).config
    assert config.class_names == ("ground", "digit")
    ground, digit = config.class_weights
    assert 0 < ground < 1 < digit


# ---------------------------------------------------------------- what is said


def said_of(data: Path, recipe: Recipe, out: Path) -> list[str]:
    report = Watched(stop_after=1)
    train(data, recipe, out, report)
    return report.said


def test_it_is_said_where_the_numbers_come_from(recipes: Recipes, demo: Path, tmp_path: Path) -> None:
    assert said_of(demo, recipes["unet"], tmp_path / "a")[0] == "backbone: test_resnet, with random weights"
    shipped = replace(recipes["classifier"], backbone=None, weights="imagenet", model_options=())
    assert said_of(demo, shipped, tmp_path / "b")[0] == (
        "backbone: tf_efficientnet_lite0, with the ImageNet weights installed with boxmask"
    )


def test_a_training_that_goes_on_says_nothing_of_where_it_began(
    recipes: Recipes, demo: Path, tmp_path: Path
) -> None:
    run, _ = train(demo, recipes["classifier"], tmp_path / "run", Watched(stop_after=1))
    report = Watched(stop_after=2)
    assert not resume(run, report=report)
    assert not any(line.startswith("backbone:") for line in report.said)


def test_objects_are_not_called_photos(recipes: Recipes, demo: Path, tmp_path: Path) -> None:
    said = " ".join(said_of(demo, recipes["classifier"], tmp_path / "run"))
    train, val, test = (
        len(read_unsplit_classification(demo).split(name)) for name in ("train", "val", "test")
    )
    assert train > 18
    assert (
        f"18 train, 2 val, 4 test photos, with {train} train, {val} val, {test} test objects to be cl" in said
    )
    assert "six, seven, ..." in said


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("kind", "choice", "message"),
    [
        ("unet", {"preset": "fpn"}, "unet has no preset 'fpn'; choose from: default, paper"),
        (
            "classifier",
            {"preset": "paper"},
            "classifier has no preset 'paper'; choose from: default, imagenet",
        ),
        (
            "mask-rcnn",
            {"model_options": ("hiden=3",)},
            "mask-rcnn has no option 'hiden'; choose from: .*hidden",
        ),
        (
            "unet",
            {"model_options": ("channels=16",)},
            r"unet: channels: expected tuple\[int, \.\.\.\], found 16",
        ),
        ("unet", {"model_options": ("dropout=much",)}, "unet: dropout: expected float, found 'much'"),
        ("tiles", {"size": 64}, "--size scales photos, and here they keep their resolution in tiles of 64"),
        ("unet", {"crop_policy": "ssd"}, "--crop-policy ssd is for detectors, not for unet"),
        ("mask-rcnn", {"class_weights": "balanced"}, "--class-weights is for fcn, unet, .*mask-rcnn"),
        ("classifier", {"classes_file": Path("c.txt")}, "--classes-file is for fcn, unet, .*classifier"),
        ("mask-rcnn", {"on_unknown_colors": "skip"}, "--on-unknown-colors is for fcn, unet, .*mask-rcnn"),
        ("unet", {"max_regions": 9}, "--max-regions is for rcnn alone, not for unet"),
        ("classifier", {"training": "alternating"}, "a way of faster-rcnn alone, not of classifier"),
    ],
)
def test_a_choice_that_there_is_not_is_refused_before_anything_is_written(
    recipes: Recipes, demo: Path, tmp_path: Path, kind: str, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train(demo, replace(recipes[kind], **choice), tmp_path / "run")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("mask-rcnn", "no training object has an outline, and mask-rcnn learns outlines"),
        ("unet", "its objects have boxes but no masks, which segmentation needs"),
    ],
)
def test_boxes_are_not_enough_to_learn_outlines(
    recipes: Recipes, boxes_only: Path, tmp_path: Path, kind: str, message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        train(boxes_only, recipes[kind], tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_every_choice_survives_the_recipes_file(recipes: Recipes, runs: Runs) -> None:
    for kind in KINDS:
        assert read_recipe(Run(runs(kind)))[0] == recipes[kind].with_method_defaults()
