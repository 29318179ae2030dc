"""Training from trained weights: --init, --detector and --classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
from safetensors.torch import save_file

from boxmask.errors import CheckpointError, UsageError, WeightsError
from boxmask.models.table import MODELS, make_config, model_entry
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.detection.task import DetectionTask
from boxmask.tasks.table import task_of
from boxmask.training.inherited_config import inherit_config
from boxmask.training.initial_rate import CONTINUED, NEW_CLASSES, rate_factor
from boxmask.training.initialization import InitSources
from boxmask.training.progress import Report
from boxmask.training.stages.plan import stages_of
from boxmask.training.train import train
from boxmask.weights.pretrained import Pretrained
from boxmask.weights.transfer import PartOrigin, Transfer

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
    assert sources.resolve(NONE) is NONE


def test_sources_name_their_origin(runs: Runs) -> None:
    detector, classifier = runs("faster-rcnn"), runs("classifier") / "last.safetensors"
    for recipe in (replace(NONE, detector=detector), replace(NONE, init=str(detector))):
        sources = InitSources.from_recipe(replace(recipe, classifier=classifier))
        assert sources.source is not None
        assert sources.backbone_source is not None
        assert (sources.source.origin, sources.source.model) == (str(detector), "faster-rcnn")
        assert (sources.backbone_source.origin, sources.backbone_source.model) == (
            str(classifier),
            "classifier",
        )


def test_the_backbone_is_the_sources_unless_the_user_chose_one(runs: Runs) -> None:
    recipe = replace(NONE, classifier=runs("classifier"))
    sources = InitSources.from_recipe(recipe)
    assert sources.resolve(recipe).backbone == "test_resnet"
    chosen = replace(recipe, backbone="resnet18")
    assert sources.resolve(chosen) is chosen


def test_the_classifiers_backbone_comes_before_the_detectors() -> None:
    sources = InitSources(Pretrained("a", "resnet18", {}), Pretrained("b", "resnet34", {}))
    assert sources.resolve(NONE).backbone == "resnet34"
    assert InitSources(sources.source).resolve(NONE).backbone == "resnet18"


def test_the_method_is_that_of_init_else_faster_rcnn(runs: Runs) -> None:
    recipe = Recipe(init=str(runs("unet")))
    assert InitSources.from_recipe(recipe).resolve(recipe).model == "unet"
    recipe = Recipe(classifier=runs("classifier"))
    assert InitSources.from_recipe(recipe).resolve(recipe).model == "faster-rcnn"
    assert InitSources().resolve(Recipe()).model == "faster-rcnn"
    named = Recipe(model="fcn", init=str(runs("unet")))
    assert InitSources.from_recipe(named).resolve(named).model == "fcn"


def test_timm_weights_need_the_name_of_their_network(runs: Runs, timm_file: Path) -> None:
    recipe = replace(NONE, classifier=timm_file)
    with pytest.raises(WeightsError, match=r"of no network that boxmask knows.*--backbone NAME"):
        InitSources.from_recipe(recipe)
    for named in (replace(recipe, backbone="test_resnet"), replace(recipe, detector=runs("faster-rcnn"))):
        source = InitSources.from_recipe(named).backbone_source
        assert source is not None
        assert (source.backbone, source.origin) == ("test_resnet", str(timm_file))


@pytest.mark.parametrize("flag", ["init", "detector", "classifier"])
def test_a_missing_run_is_named(tmp_path: Path, flag: str) -> None:
    (tmp_path / "empty").mkdir()
    for name, message in (("gone", "there is no such checkpoint"), ("empty", "no checkpoint in this folder")):
        source: Any = str(tmp_path / name) if flag == "init" else tmp_path / name
        with pytest.raises(CheckpointError, match=f"{name}: {message}"):
            InitSources.from_recipe(replace(NONE, **{flag: source}))


def test_a_file_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not weights")
    with pytest.raises(WeightsError, match=r"notes\.txt"):
        InitSources.from_recipe(replace(NONE, backbone="test_resnet", classifier=tmp_path / "notes.txt"))


# ---------------------------------------------------------------- the inherited config


@pytest.mark.parametrize("kind", ["faster-rcnn", "mask-rcnn", "unet", "tiles", "classifier"])
def test_the_new_network_has_the_sources_config(kind: str, runs: Runs, recipes: dict[str, Recipe]) -> None:
    recipe = Recipe(init=str(runs(kind)), weights="none")
    sources = InitSources.from_recipe(recipe)
    resolved = sources.resolve(recipe)
    assert sources.source is not None
    before = sources.source.config
    config = make_config(
        resolved.model,
        resolved.preset,
        class_names=before.class_names,
        backbone=resolved.backbone,
        **resolved.option_values,
    )
    assert config == before
    assert (resolved.size, resolved.anchors) == (None, "preset")
    assert Recipe(**vars(resolved)) == resolved


def test_the_users_options_come_before_inherited_ones(runs: Runs) -> None:
    recipe = Recipe(init=str(runs("faster-rcnn")), size=96, model_options=("hidden=32",))
    resolved = InitSources.from_recipe(recipe).resolve(recipe)
    assert resolved.option_values["hidden"] == 32
    assert resolved.option_values["channels"] == 16
    assert resolved.size == 96


def test_a_mask_rcnn_has_the_config_of_the_faster_rcnn_that_it_starts_from(runs: Runs) -> None:
    recipe = Recipe(model="mask-rcnn", detector=runs("faster-rcnn"))
    assert InitSources.from_recipe(recipe).resolve(recipe).option_values["channels"] == 16


def test_other_methods_and_named_presets_inherit_the_backbone_alone(runs: Runs) -> None:
    for recipe in (
        Recipe(model="retinanet", init=str(runs("faster-rcnn"))),
        Recipe(model="faster-rcnn", init=str(runs("faster-rcnn")), preset="fpn"),
    ):
        resolved = InitSources.from_recipe(recipe).resolve(recipe)
        assert resolved == replace(recipe, backbone="test_resnet")


@pytest.mark.parametrize("model", MODELS)
def test_every_preset_is_found_again_from_its_config(model: str) -> None:
    for preset in model_entry(model).presets:
        config = make_config(model, preset, class_names=("a",))
        source = Pretrained("x", config.backbone, {}, model, config)
        resolved = inherit_config(Recipe(model=model), source)
        again = make_config(
            model, resolved.preset, class_names=("a",), backbone=resolved.backbone, **resolved.option_values
        )
        assert again == config


def test_inherited_limits_are_raised_for_crowded_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the published network of 320 pixels, which has 150 proposals per photo."""
    config = make_config("faster-rcnn", "default", class_names=("a",), test_proposals=(150, 400))
    source = Pretrained("x", config.backbone, {}, "faster-rcnn", config)
    monkeypatch.setattr(
        DetectionTask,
        "config_options",
        lambda *_: {"detections_per_image": 150, "test_proposals": (600, 300)},
    )
    for given, expected in (((), (600, 400)), (("test_proposals=(9, 9)",), (9, 9))):
        recipe = Recipe(model="faster-rcnn", model_options=given)
        sources = InitSources(source, given_options=frozenset(recipe.option_values))
        fitted = sources.fit_limits(sources.resolve(recipe), None)
        assert fitted.option_values["test_proposals"] == expected
    assert InitSources().fit_limits(NONE, None) is NONE
    assert InitSources.from_recipe(recipe).given_options == {"test_proposals"}


# ---------------------------------------------------------------- the learning rate


def transfer_of(head_share: float, known: tuple[str, ...], new: tuple[str, ...]) -> Transfer:
    parts = (PartOrigin("backbone", "run"), PartOrigin("heads", "run" if head_share == 1 else ""))
    return Transfer(parts, head_share, known, new)


def test_the_rate_is_lowered_where_most_is_inherited() -> None:
    assert rate_factor(transfer_of(1.0, ("a",), ())) == CONTINUED
    assert rate_factor(transfer_of(1.0, ("a",), ("b",))) == NEW_CLASSES
    assert rate_factor(transfer_of(0.8, ("a",), ())) == NEW_CLASSES  # a mask head is new
    assert rate_factor(transfer_of(0.0, (), ("b",))) == 1.0
    assert 0 < CONTINUED < NEW_CLASSES < 1


class Messages(Report):
    """Keeps the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_a_continued_run_has_a_lower_rate(demo: Path, runs: Runs, quick: Recipe, tmp_path: Path) -> None:
    recipe = Recipe(init=str(runs("faster-rcnn")), epochs=1, batch_size=6, workers=0, num_validations=1)
    report = Messages()
    run, _ = train(demo, recipe, tmp_path / "run", report)
    assert run.recipe.learning_rate == pytest.approx(8e-5)
    assert [line for line in report.lines if line.startswith("learning rate")] == [
        "learning rate 8e-05 instead of 0.0008, because all weights are trained; --learning-rate (in Python: "
        "learning_rate) sets another"
    ]
    assert (run.recipe.model, run.recipe.size, run.recipe.backbone) == ("faster-rcnn", None, "test_resnet")
    assert run.model().config == Run(runs("faster-rcnn")).model().config
    report = Messages()
    run, _ = train(demo, replace(recipe, learning_rate=1e-3), tmp_path / "given", report)
    assert run.recipe.learning_rate == 1e-3
    assert not any(line.startswith("learning rate") for line in report.lines)


@pytest.mark.parametrize("kind", ["faster-rcnn", "unet", "classifier"])
def test_a_continued_run_is_not_worse_than_its_start(
    kind: str, demo: Path, runs: Runs, tmp_path: Path
) -> None:
    """The start's weights are the first best ones, even if each step makes them worse."""
    recipe = Recipe(init=str(runs(kind)), epochs=1, batch_size=6, workers=0, learning_rate=0.5)
    report = Messages()
    run, _ = train(demo, recipe, tmp_path / "run", report)
    assert any(line.startswith("  0 %  validation") for line in report.lines)
    name = task_of(run.recipe.model).metrics[0]
    assert run.metrics[name] >= Run(runs(kind)).metrics[name]


def test_a_continued_rcnn_begins_with_a_validation_of_its_svms(
    demo: Path, staged: Any, tmp_path: Path, tiny: Any
) -> None:
    source = staged("rcnn").run
    report = Messages()
    run, _ = train(
        demo, replace(tiny("rcnn"), preset="default", init=str(source.path)), tmp_path / "run", report
    )
    (line,) = (line for line in report.lines if line.startswith("  0 %  validation"))
    assert f"AP {source.metrics['AP']:.3f}" in line
    assert run.metrics["AP"] >= source.metrics["AP"]


def test_new_classes_are_no_start_to_validate(demo: Path, runs: Runs, tmp_path: Path) -> None:
    recipe = Recipe(init=str(runs("classifier")), model="faster-rcnn", epochs=1, batch_size=6, workers=0)
    report = Messages()
    run, _ = train(demo, replace(recipe, size=64), tmp_path / "run", report)
    assert run.recipe.learning_rate == 8e-4
    assert not any(line.startswith("  0 %  validation") for line in report.lines)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("flag", ["detector", "classifier"])
def test_alternating_training_starts_from_imagenet_only(flag: str) -> None:
    recipe = Recipe(model="faster-rcnn", training="alternating", **{flag: Path("run")})  # type: ignore[arg-type]
    with pytest.raises(
        UsageError, match=r"starts twice from ImageNet weights\. Leave out --init, --detector and --clas"
    ):
        stages_of(recipe)


@pytest.mark.parametrize(("model", "expected"), [("retinanet", True), ("classifier", False), ("", False)])
def test_a_detector_is_told_from_other_sources(model: str, expected: bool) -> None:
    assert InitSources(Pretrained("a run", "resnet18", {}, model)).has_detector is expected
    assert not InitSources(None, Pretrained("a run", "resnet18", {}, model)).has_detector
