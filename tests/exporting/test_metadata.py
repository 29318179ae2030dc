"""Where the weights of a file come from, as far as it is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from boxmask.exporting.metadata import describe_evaluation, describe_training, describe_weights
from boxmask.runs.ancestors import Ancestors, EarlierTraining
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, recipe_json, write_json
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint

PUBLISHED = "torchvision/fasterrcnn_resnet50_fpn_v2"
OWN = {"name": "run", "license": "that of the training photos and labels", "from": "training"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of a detector with the default backbone, without weights."""
    folder = tmp_path / "run"
    folder.mkdir()
    metadata = CheckpointMetadata("faster-rcnn", {"backbone": "tf_efficientnet_lite0"}, metrics={"AP": 0.5})
    save_checkpoint(folder / "best.safetensors", nn.Linear(1, 1).state_dict(), metadata)
    write_recipe(Run(folder), Recipe())
    return Run(folder)


def write_recipe(run: Run, recipe: Recipe) -> None:
    write_json(run.recipe_file, recipe_json(recipe, Path("data"), "fingerprint"))


def test_the_backbone_has_the_license_of_its_publisher(run: Run) -> None:
    own, backbone = describe_weights(run.path)
    assert own == OWN
    assert backbone["name"] == "timm/tf_efficientnet_lite0"
    assert backbone["license"] == "Apache-2.0"
    assert backbone["trained_on"] == "ImageNet-train"


def test_random_weights_and_files(run: Run) -> None:
    write_recipe(run, replace(Recipe(), weights="none"))
    assert describe_weights(run.path) == [OWN]
    write_recipe(run, replace(Recipe(), weights="mine.pth"))
    assert describe_weights(run.path)[1] == {
        "name": "mine.pth",
        "license": "unknown",
        "from": "initial weights",
    }


def test_earlier_trainings_and_published_weights(run: Run) -> None:
    earlier = EarlierTraining("/runs/first", "/data", {"a.jpg": "train"}, {})
    Ancestors((earlier,), {PUBLISHED: "COCO"}, ("other.pth",)).write(run)
    names = [entry["name"] for entry in describe_weights(run.path)]
    assert names == ["run", PUBLISHED, "first", "other.pth"]


def test_published_weights() -> None:
    [entry] = describe_weights(Path(PUBLISHED))
    assert entry["name"] == PUBLISHED
    assert entry["address"].startswith("https://")
    assert describe_training(Path(PUBLISHED)) == {}
    assert 0.4 < describe_evaluation(Path(PUBLISHED))["metrics"]["AP"] < 0.5


def test_the_fingerprint_needs_the_content_of_all_photos(run: Run) -> None:
    splits: dict[str, Any] = {"train": ["a.jpg", "b.jpg"], "val": ["c.jpg"], "test": []}
    write_json(run.split_file, splits | {"contents": {"a.jpg": "1-aa", "b.jpg": "1-bb"}})
    known = describe_training(run.path)
    assert len(known["photos"]) == 32
    write_json(run.split_file, splits | {"contents": {"a.jpg": "1-aa"}})
    unknown = describe_training(run.path)
    assert "photos" not in unknown
    assert unknown["counts"] == known["counts"] == {"train": 2, "val": 1, "test": 0}


def test_a_checkpoint_alone_says_what_it_knows(run: Run, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (run.path / "best.safetensors").rename(alone / "best.safetensors")
    assert [entry["name"] for entry in describe_weights(alone)] == ["alone", "unknown"]
    assert describe_training(alone) == {}
    assert describe_evaluation(alone)["metrics"] == {"AP": 0.5}
