"""What a training begins from: --detector and --classifier, as runs, as files of timm's, and as mistakes."""

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
from boxmask.training.setup import config_of
from boxmask.training.stages.plan import stages_of
from boxmask.weights.transfer import Pretrained

Runs = Callable[[str], Path]
NONE = Recipe(model="mask-rcnn", weights="none")


@pytest.fixture(scope="module")
def timms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("timm") / "test_resnet.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=3).state_dict(), file)
    return file


def test_nobody_gave_anything() -> None:
    parents = InitSources.of(NONE)
    assert parents == InitSources()
    assert parents.backbone_for(NONE) is NONE


def test_runs_say_who_they_are(runs: Runs) -> None:
    detector, classifier = runs("faster-rcnn"), runs("classifier") / "last.safetensors"
    parents = InitSources.of(replace(NONE, detector=detector, classifier=classifier))
    assert parents.detector is not None
    assert parents.classifier is not None
    assert parents.detector.origin == f"the faster-rcnn of {detector}"
    assert parents.classifier.origin == f"the classifier of {classifier}"


def test_the_backbone_is_theirs_unless_the_user_chose_one(runs: Runs) -> None:
    recipe = replace(NONE, classifier=runs("classifier"))
    parents = InitSources.of(recipe)
    assert parents.backbone_for(recipe).backbone == "test_resnet"
    chosen = replace(recipe, backbone="resnet18")
    assert parents.backbone_for(chosen) is chosen


def test_the_classifiers_backbone_goes_before_the_detectors() -> None:
    parents = InitSources(Pretrained("a", "resnet18", {}), Pretrained("b", "resnet34", {}))
    assert parents.backbone_for(NONE).backbone == "resnet34"
    assert InitSources(parents.detector).backbone_for(NONE).backbone == "resnet18"


def test_a_file_of_timms_needs_the_networks_name(runs: Runs, timms: Path) -> None:
    recipe = replace(NONE, classifier=timms)
    with pytest.raises(UsageError, match=r"not weights of boxmask; say with --backbone NAME"):
        InitSources.of(recipe)
    for named in (replace(recipe, backbone="test_resnet"), replace(recipe, detector=runs("faster-rcnn"))):
        classifier = InitSources.of(named).classifier
        assert classifier is not None
        assert (classifier.backbone, classifier.origin) == ("test_resnet", f"the weights in {timms}")


@pytest.mark.parametrize("backbone", [None, "test_resnet"])
def test_nobody_is_there(tmp_path: Path, backbone: str | None) -> None:
    for flag in ("detector", "classifier"):
        recipe = replace(NONE, backbone=backbone, **{flag: tmp_path / "gone"})  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match="gone: there is no such checkpoint"):
            InitSources.of(recipe)
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
            InitSources.of(replace(recipe, **{flag: tmp_path / "empty"}))  # type: ignore[arg-type]


def test_a_file_that_is_no_weights(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not weights")
    with pytest.raises(WeightsError, match=r"notes\.txt"):
        InitSources.of(replace(NONE, backbone="test_resnet", classifier=tmp_path / "notes.txt"))


@pytest.mark.parametrize("flag", ["detector", "classifier"])
def test_alternating_training_begins_from_imagenet(flag: str) -> None:
    recipe = Recipe(training="alternating", **{flag: Path("run")})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="begins from ImageNet, twice; leave out --detector and --classif"):
        stages_of(recipe)


def test_join_says_what_came_from_where(runs: Runs, recipes: dict[str, Recipe], demo: Path) -> None:
    from boxmask.data.detection.read import read_detection
    from boxmask.models.table import entry

    recipe = replace(recipes["mask-rcnn"], detector=runs("faster-rcnn"))
    network = entry("mask-rcnn").build(config_of(read_detection(demo), recipe), None)
    said = InitSources.of(recipe).transfer(network)
    assert said[0] == f"backbone: from the faster-rcnn of {runs('faster-rcnn')} (test_resnet)"
    assert said[-1] == "mask head: newly initialized"
