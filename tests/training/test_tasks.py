"""Training for every task, from labels to weights: runs, stopping and resuming, messages and errors."""

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

CONTRACTS = {"mask-rcnn": Detector, "unet": Segmenter, "tiles": Segmenter, "classifier": Classifier}
METRICS = {
    "mask-rcnn": ["mask_AP", "mask_AP50", "AP", "AP50", "images"],
    "unet": ["mIoU", "pixel_accuracy", "images"],
    "tiles": ["mIoU", "pixel_accuracy", "images"],
    "classifier": ["accuracy", "mean_accuracy", "images"],
}


class StoppingReport(Report):
    """Records the messages. It requests a stop, as Ctrl-C does, after `stop_after` steps."""

    def __init__(self, stop_after: int = 0) -> None:
        super().__init__()
        self.stop_after, self.messages = stop_after, list[str]()

    def message(self, text: str) -> None:
        self.messages.append(text)

    def step(self, clock: Clock, losses: dict[str, float], images: int) -> None:
        super().step(clock, losses, images)
        if clock.step == self.stop_after:
            signal.raise_signal(signal.SIGINT)


def same_weights(one: Path, other: Path) -> bool:
    ours, theirs = read_checkpoint(one)[0], read_checkpoint(other)[0]
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


# ---------------------------------------------------------------- the run


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_run_has_all_its_files(kind: str, runs: Runs, recipes: Recipes, run_files: set[str]) -> None:
    run = Run(runs(kind))
    names = {file.name for file in run.path.iterdir()} - {"notes.txt"}
    assert names == run_files
    split = json.loads(run.split_file.read_text())
    counts = {name: len(photos) for name, photos in split.items()}
    assert counts == {"train": 18, "val": 2, "test": 4, "contents": 24}
    _, metadata = read_checkpoint(run.best_checkpoint)
    assert metadata.model == recipes[kind].model
    assert [name for name in metadata.metrics if name != "min_scores"] == METRICS[kind]
    assert ("min_scores" in metadata.metrics) == (kind == "mask-rcnn")  # what --min-score auto takes
    model = load_model(run.path)
    assert isinstance(model, CONTRACTS[kind])
    assert not model.training


@pytest.mark.parametrize("kind", CONTRACTS)
def test_the_log_has_the_metrics_of_the_task(kind: str, runs: Runs) -> None:
    rows = [json.loads(line) for line in Run(runs(kind)).log_file.read_text().splitlines()]
    validations = [row["val"] for row in rows if "val" in row]
    assert [list(metrics) for metrics in validations] == [METRICS[kind]]
    assert all(0 <= value <= 1 for name, value in validations[0].items() if name != "images")


def test_model_options_reach_the_config(runs: Runs) -> None:
    config = load_model(runs("tiles")).config
    assert (config.tile, config.hidden, config.backbone) == (64, ((16, 3),), "test_resnet")
    assert load_model(runs("unet")).config.channels == (16, 16, 8, 8)


def test_class_names_come_from_the_labels(runs: Runs, demo: Path) -> None:
    digits = read_detection(demo).class_names
    assert load_model(runs("mask-rcnn")).config.class_names == digits
    assert load_model(runs("classifier")).config.class_names == digits
    assert load_model(runs("unet")).config.class_names == ("background", *digits)


def test_the_fingerprint_is_the_data_sets(runs: Runs, demo: Path) -> None:
    fingerprints = {
        kind: read_checkpoint(Run(runs(kind)).last_checkpoint)[1].fingerprint for kind in CONTRACTS
    }
    assert fingerprints["mask-rcnn"] == read_detection(demo).fingerprint()
    assert fingerprints["unet"] == fingerprints["tiles"] == read_unsplit_segmentation(demo).fingerprint()
    assert fingerprints["classifier"] == read_unsplit_classification(demo).fingerprint()


# ---------------------------------------------------------------- stopping and resuming


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_resumed_training_reaches_the_same_weights(
    kind: str, runs: Runs, recipes: Recipes, demo: Path, tmp_path: Path
) -> None:
    run, finished = train(demo, recipes[kind], tmp_path / "run", StoppingReport(stop_after=2))
    assert not finished
    assert read_checkpoint(run.last_checkpoint)[1].training["step"] == 2
    assert isinstance(load_model(run.path), CONTRACTS[kind])
    uninterrupted = Run(runs(kind))
    assert not same_weights(run.last_checkpoint, uninterrupted.last_checkpoint)
    assert resume(run)
    assert same_weights(run.last_checkpoint, uninterrupted.last_checkpoint)
    assert same_weights(run.best_checkpoint, uninterrupted.best_checkpoint)
    assert not run.resume_file.exists()


def test_a_resumed_training_with_batch_norm_reaches_the_same_weights(
    recipes: Recipes, demo: Path, tmp_path: Path
) -> None:
    """The statistics and their moving averages are part of the state; the averages are not the latest."""
    options = ("channels=(16, 16, 8, 8)", "norm=batch")
    recipe = replace(recipes["unet"], model_options=options)
    uninterrupted, _ = train(demo, recipe, tmp_path / "uninterrupted")
    run, finished = train(demo, recipe, tmp_path / "run", StoppingReport(stop_after=2))
    saved = read_checkpoint(run.resume_file)[0]
    name = next(name for name in saved if name.startswith("average.") and name.endswith("running_mean"))
    latest = saved[name.replace("average.module.", "model.")]
    assert not finished
    assert not torch.equal(saved[name], latest)
    assert resume(run)
    assert same_weights(run.last_checkpoint, uninterrupted.last_checkpoint)


def test_a_training_with_changed_masks_is_not_resumed(recipes: Recipes, demo: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo, tmp_path / "data"))
    run, _ = train(data, recipes["unet"], tmp_path / "run", StoppingReport(stop_after=1))
    file = data / "instances_val.json"
    labels = json.loads(file.read_text())
    labels["annotations"][0]["segmentation"] = [[1, 1, 9, 1, 9, 9]]
    file.write_text(json.dumps(labels))
    with pytest.raises(CheckpointError, match="the data has changed since this training began"):
        resume(run)


def test_a_classes_file_is_found_from_another_working_directory(
    recipes: Recipes, label_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("ground\ndigit\n")
    monkeypatch.chdir(tmp_path)
    recipe = replace(recipes["unet"], classes_file=Path("mine.txt"), class_weights="balanced")
    run, finished = train(label_maps, recipe, tmp_path / "run", StoppingReport(stop_after=1))
    assert not finished
    monkeypatch.chdir("/")
    assert resume(run)
    config = load_model(run.path).config
    assert config.class_names == ("ground", "digit")
    ground, digit = config.class_weights
    assert 0 < ground < 1 < digit


# ---------------------------------------------------------------- messages


def messages_of(data: Path, recipe: Recipe, out: Path) -> list[str]:
    report = StoppingReport(stop_after=1)
    train(data, recipe, out, report)
    return report.messages


def test_the_origin_of_the_weights_is_reported(recipes: Recipes, demo: Path, tmp_path: Path) -> None:
    assert (
        messages_of(demo, recipes["unet"], tmp_path / "a")[0] == "backbone: test_resnet, with random weights"
    )
    shipped = replace(recipes["classifier"], backbone=None, weights="imagenet", model_options=())
    assert messages_of(demo, shipped, tmp_path / "b")[0] == (
        "backbone: tf_efficientnet_lite0, with the ImageNet weights installed with boxmask"
    )


def test_a_resumed_training_does_not_report_initial_weights(
    recipes: Recipes, demo: Path, tmp_path: Path
) -> None:
    run, _ = train(demo, recipes["classifier"], tmp_path / "run", StoppingReport(stop_after=1))
    report = StoppingReport(stop_after=2)
    assert not resume(run, report=report)
    assert not any(line.startswith("backbone:") for line in report.messages)


def test_objects_to_classify_are_counted_besides_photos(recipes: Recipes, demo: Path, tmp_path: Path) -> None:
    messages = " ".join(messages_of(demo, recipes["classifier"], tmp_path / "run"))
    train, val, test = (
        len(read_unsplit_classification(demo).split(name)) for name in ("train", "val", "test")
    )
    assert train > 18
    assert (
        f"18 train, 2 val, 4 test photos, with {train} train, {val} val, {test} test objects to classify"
        in messages
    )
    assert "six, three, ..." in messages


# ---------------------------------------------------------------- errors


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
        ("tiles", {"size": 64}, "--size resizes photos, but this model reads them in tiles of 64"),
        ("unet", {"crop_policy": "ssd"}, "--crop-policy ssd .* is for detectors, not for unet"),
        ("mask-rcnn", {"class_weights": "balanced"}, "--class-weights .* is for fcn, unet, .*mask-rcnn"),
        (
            "unet",
            {"model_options": ("shorter_side=20",), "size": None},
            "shorter_side .*: expected 32 or more, ",
        ),
        ("classifier", {"classes_file": Path("c.txt")}, "--classes-file .* is for fcn, unet, .*classifier"),
        ("mask-rcnn", {"on_unknown_colors": "skip"}, "--on-unknown-colors .* is for fcn, unet, .*mask-rcnn"),
        ("unet", {"max_regions": 9}, "--max-regions .* is for rcnn only, not for unet"),
        (
            "mask-rcnn",
            {"model": "rcnn", "patience": 2, "num_validations": 4},
            "--patience is not for rcnn: it is validated only at the end",
        ),
        (
            "classifier",
            {"training": "alternating"},
            "--training alternating is for faster-rcnn only, not for classifier",
        ),
    ],
)
def test_an_unknown_choice_is_refused_before_anything_is_written(
    recipes: Recipes, demo: Path, tmp_path: Path, kind: str, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train(demo, replace(recipes[kind], **choice), tmp_path / "run")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("mask-rcnn", "no training object has a mask, and mask-rcnn needs masks"),
        ("unet", "its objects have boxes but no masks, which segmentation needs"),
    ],
)
def test_masks_cannot_be_learned_from_boxes(
    recipes: Recipes, boxes_only: Path, tmp_path: Path, kind: str, message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        train(boxes_only, recipes[kind], tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_recipe_json_holds_every_choice(recipes: Recipes, runs: Runs) -> None:
    for kind in CONTRACTS:
        assert read_recipe(Run(runs(kind)))[0] == recipes[kind].with_method_defaults()
