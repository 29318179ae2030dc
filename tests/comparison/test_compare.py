"""Comparisons from the labels to the table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

import boxmask
from boxmask.comparison.compare import compare_models
from boxmask.comparison.contract import Comparison
from boxmask.comparison.options import CompareOptions
from boxmask.comparison.shared_recipe import SharedRecipe
from boxmask.data.detection.read import read_detection
from boxmask.errors import CheckpointError, LabelError, UsageError
from boxmask.runs.recipe import Recipe

Runs = Callable[[str], Path]


def shared(recipe: Recipe) -> SharedRecipe:
    values = {field.name: getattr(recipe, field.name) for field in fields(Recipe)}
    return SharedRecipe(**{**values, "model": "auto", "model_options": ()})


def quickly(**options: object) -> CompareOptions:
    return CompareOptions(**{"forms": ("torch",), "seconds": 0.1, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def comparison(
    demo: Path, quick: Recipe, runs: Runs, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Comparison, Path]:
    """A trained model, one that fails, one that joins, and detections of another tool."""
    out = tmp_path_factory.mktemp("comparison") / "out"
    labels = json.loads((demo / "instances_test.json").read_text())
    results = [
        {key: each[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
        for each in labels["annotations"]
    ]
    file = out.parent / "other.json"
    file.write_text(json.dumps(results))
    options = quickly(
        models=("faster-rcnn",),
        runs=(runs("faster-rcnn"),),
        detections=(("other tool", file),),
        recipe=shared(quick),
    )
    return compare_models(demo, options, out), out


def test_all_models_are_evaluated_on_the_same_photos(comparison: tuple[Comparison, Path]) -> None:
    result, _ = comparison
    assert [model.name for model in result.models] == ["faster-rcnn", "run", "other tool"]
    assert {model.evaluation.images for model in result.models} == {4}
    assert {len(model.results) for model in result.models} == {len(result.dataset)}
    assert result.models[2].evaluation["AP"] == pytest.approx(1.0)
    assert (result.task, result.metric, result.split) == ("detection", "AP", "test")


def test_metrics_are_those_of_evaluate(comparison: tuple[Comparison, Path], demo: Path, runs: Runs) -> None:
    joined, expected = comparison[0].models[1].evaluation, boxmask.evaluate(runs("faster-rcnn"), demo)
    assert list(joined) == list(expected)
    assert [joined[name] for name in joined] == pytest.approx([expected[name] for name in expected])


def test_the_files_are_written(comparison: tuple[Comparison, Path]) -> None:
    result, out = comparison
    assert json.loads((out / "comparison.json").read_text()) == json.loads(json.dumps(result.to_dict()))
    assert "other tool" in (out / "comparison.csv").read_text()
    assert "other tool" in (out / "report.html").read_text()
    assert result.sentences
    assert result.models[0].failures is not None


def test_the_training_and_the_speed_are_measured(comparison: tuple[Comparison, Path]) -> None:
    model = comparison[0].models[0]
    assert model.method == "faster-rcnn"
    assert model.training is not None
    assert model.training.peak_memory_mb is not None
    assert (model.training.passes, model.training.seed) == (1.0, 0)
    assert [speed.form for speed in model.speeds] == ["torch"]
    assert 0 < model.speeds[0].median_ms <= model.speeds[0].p95_ms
    assert sum(model.speeds[0].stages_ms.values()) == pytest.approx(model.speeds[0].median_ms)
    assert model.parameters
    assert model.operations


def test_what_is_done_is_not_done_again(
    comparison: tuple[Comparison, Path], demo: Path, quick: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, out = comparison
    monkeypatch.setattr("boxmask.comparison.compare.run_worker", None)
    monkeypatch.setattr("boxmask.comparison.speed.bench_models", None)
    again = compare_models(demo, quickly(models=("faster-rcnn",), recipe=shared(quick)), out)
    assert again.to_dict()["models"] == before.to_dict()["models"][:1]


def test_other_settings_need_another_folder(
    comparison: tuple[Comparison, Path], demo: Path, quick: Recipe
) -> None:
    recipe = shared(quick)
    other = SharedRecipe(**{**vars(recipe), "size": 96})
    with pytest.raises(UsageError, match="size: 64 there, 96 here"):
        compare_models(demo, quickly(models=("faster-rcnn",), recipe=other), comparison[1])


def test_a_model_that_fails_does_not_stop_the_others(
    demo: Path, quick: Recipe, runs: Runs, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "best.safetensors").write_bytes(b"no weights")
    options = quickly(runs=(broken, runs("faster-rcnn")), recipe=shared(quick))
    result = compare_models(demo, options, tmp_path / "out")
    assert [each.name for each in result.failed] == ["broken"]
    assert "not a checkpoint" in result.failed[0].message
    assert [model.name for model in result.models] == ["run"]


def test_segmenters_are_compared(label_maps: Path, runs: Runs, demo: Path, tmp_path: Path) -> None:
    result = boxmask.compare(demo, runs=[runs("unet"), runs("tiles")], forms=["torch"], out=tmp_path / "out")
    assert (result.task, result.metric) == ("segmentation", "mIoU")
    assert len(result.models) == 2
    assert result.models[0].results[0].size == tuple(result.dataset.sizes[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ("ssd", "unet")}, "these models find different things"),
        ({"models": ("classifier",)}, "compare takes detectors and segmenters"),
        ({"models": ("resnet",)}, "unknown model 'resnet'"),
    ],
)
def test_models_of_several_tasks_are_refused(
    demo: Path, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        compare_models(demo, quickly(**options), tmp_path / "out")


def test_a_missing_run_is_named(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such run or file"):
        compare_models(demo, quickly(runs=(tmp_path / "nothing",)), tmp_path / "out")


def test_detections_are_read_before_anything_is_trained(
    demo: Path, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxmask.comparison.compare.run_worker", None)
    (tmp_path / "found.json").write_text("[{}]")
    options = quickly(models=("ssd",), detections=(("other", tmp_path / "found.json"),), recipe=shared(quick))
    with pytest.raises(LabelError, match='it has no "image_id"'):
        compare_models(demo, options, tmp_path / "out")


def test_another_split_file_after_a_wrong_one(demo: Path, runs: Runs, tmp_path: Path) -> None:
    photos = read_detection(demo).files.tolist()
    splits = tmp_path / "splits.json"
    splits.write_text(json.dumps({"train": photos, "val": [], "test": []}))
    options = quickly(runs=(runs("faster-rcnn"),), recipe=SharedRecipe(split_file=splits))
    with pytest.raises(LabelError, match="there are no test photos"):
        compare_models(demo, options, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    splits.write_text(json.dumps({"train": photos[2:], "val": [], "test": photos[:2]}))
    assert len(compare_models(demo, options, tmp_path / "out").dataset) == 2
