"""Training from trained weights: --detector and --classifier, given as runs, timm files and wrong paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import timm
from safetensors.torch import save_file

from boxmask.errors import CheckpointError, UsageError, WeightsError
from boxmask.runs.recipe import Recipe
from boxmask.training.initialization import InitSources
from boxmask.training.setup import network_config
from boxmask.training.stages.plan import stages_of
from boxmask.weights.transfer import Pretrained

Runs = Callable[[str], Path]
NONE = Recipe(model="mask-rcnn", weights="none")


@pytest.fixture(scope="module")
def timm_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("timm") / "test_resnet.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=3).state_dict(), file)
    return file


def test_without_sources_the_recipe_is_unchanged() -> None:
    sources = InitSources.from_recipe(NONE)
    assert sources == InitSources()
    assert sources.backbone_for(NONE) is NONE


def test_sources_name_their_origin(runs: Runs) -> None:
    detector, classifier = runs("faster-rcnn"), runs("classifier") / "last.safetensors"
    sources = InitSources.from_recipe(replace(NONE, detector=detector, classifier=classifier))
    assert sources.detector is not None
    assert sources.classifier is not None
    assert sources.detector.origin == f"the faster-rcnn of {detector}"
    assert sources.classifier.origin == f"the classifier of {classifier}"


def test_the_backbone_is_the_sources_unless_the_user_chose_one(runs: Runs) -> None:
    recipe = replace(NONE, classifier=runs("classifier"))
    sources = InitSources.from_recipe(recipe)
    assert sources.backbone_for(recipe).backbone == "test_resnet"
    chosen = replace(recipe, backbone="resnet18")
    assert sources.backbone_for(chosen) is chosen


def test_the_classifiers_backbone_comes_before_the_detectors() -> None:
    sources = InitSources(Pretrained("a", "resnet18", {}), Pretrained("b", "resnet34", {}))
    assert sources.backbone_for(NONE).backbone == "resnet34"
    assert InitSources(sources.detector).backbone_for(NONE).backbone == "resnet18"


def test_timm_weights_need_the_name_of_their_network(runs: Runs, timm_file: Path) -> None:
    recipe = replace(NONE, classifier=timm_file)
    with pytest.raises(
        UsageError, match=r"not hold weights of a boxmask model.*name their network with --backbone NAME"
    ):
        InitSources.from_recipe(recipe)
    for named in (replace(recipe, backbone="test_resnet"), replace(recipe, detector=runs("faster-rcnn"))):
        classifier = InitSources.from_recipe(named).classifier
        assert classifier is not None
        assert (classifier.backbone, classifier.origin) == ("test_resnet", f"the weights in {timm_file}")


@pytest.mark.parametrize("backbone", [None, "test_resnet"])
def test_a_missing_run_is_named(tmp_path: Path, backbone: str | None) -> None:
    for flag in ("detector", "classifier"):
        recipe = replace(NONE, backbone=backbone, **{flag: tmp_path / "gone"})  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match="gone: there is no such checkpoint"):
            InitSources.from_recipe(recipe)
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
            InitSources.from_recipe(replace(recipe, **{flag: tmp_path / "empty"}))  # type: ignore[arg-type]


def test_a_file_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not weights")
    with pytest.raises(WeightsError, match=r"notes\.txt"):
        InitSources.from_recipe(replace(NONE, backbone="test_resnet", classifier=tmp_path / "notes.txt"))


@pytest.mark.parametrize("flag", ["detector", "classifier"])
def test_alternating_training_starts_from_imagenet_only(flag: str) -> None:
    recipe = Recipe(model="faster-rcnn", training="alternating", **{flag: Path("run")})  # type: ignore[arg-type]
    with pytest.raises(
        UsageError, match=r"starts twice from ImageNet weights\. Leave out --init, --detector and --clas"
    ):
        stages_of(recipe)


def test_transfer_reports_where_each_part_comes_from(
    runs: Runs, recipes: dict[str, Recipe], demo: Path
) -> None:
    from boxmask.data.detection.read import read_detection
    from boxmask.models.table import model_entry

    recipe = replace(recipes["mask-rcnn"], detector=runs("faster-rcnn"))
    network = model_entry("mask-rcnn").build(network_config(read_detection(demo), recipe), None)
    lines = InitSources.from_recipe(recipe).transfer(network)
    assert lines[0] == f"backbone: from the faster-rcnn of {runs('faster-rcnn')} (test_resnet)"
    assert lines[-1] == "mask head: newly initialized"
