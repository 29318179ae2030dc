"""Comparisons with folds."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.comparison.compare import compare_models
from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.folds import PooledItems, draw_new_folds, record_folds
from boxmask.comparison.jobs import Job, jobs_by_model, training_jobs
from boxmask.comparison.options import CompareOptions
from boxmask.comparison.photos import ComparedPhotos, read_photos
from boxmask.comparison.shared_recipe import SharedRecipe
from boxmask.data.split_file import read_split_file
from boxmask.errors import LabelError, UsageError
from boxmask.evaluation.intervals.groups import photo_groups
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run

SKIP = SharedRecipe(on_unseen_classes="skip")


def fold_photos(demo: Path, out: Path, options: CompareOptions) -> ComparedPhotos:
    folder = ComparisonFolder(out)
    out.mkdir(exist_ok=True)
    photos = read_photos(demo, options, folder)
    return record_folds(photos, options, folder, draw_new_folds(photos, options, folder))


def test_all_photos_are_evaluated_each_in_its_fold(demo: Path, tmp_path: Path) -> None:
    options = CompareOptions(models=("ssd",), folds=3, recipe=SKIP)
    photos = fold_photos(demo, tmp_path, options)
    jobs = training_jobs(("ssd",), options, ComparisonFolder(tmp_path))
    assert len(photos.dataset) == 24
    assert sorted(index for job in jobs for index in photos.indices(job)) == list(range(24))
    for job in jobs:
        assert job.recipe is not None
        assert job.recipe.split_file is not None
        splits = read_split_file(job.recipe.split_file).splits
        tested = {file for file, split in splits.items() if split == "test"}
        assert tested == set(photos.dataset.files[photos.indices(job)].tolist())
    assert photos.indices(Job("my-run", "my-run", tmp_path, None)) == list(range(24))


def test_folds_stay_when_a_comparison_goes_on(demo: Path, tmp_path: Path) -> None:
    options = CompareOptions(models=("ssd",), folds=3, recipe=SKIP)
    first = fold_photos(demo, tmp_path, options)
    second = fold_photos(demo, tmp_path, options)
    assert first.full.fingerprint() == second.full.fingerprint()
    assert first.fold_of is not None
    assert second.fold_of is not None
    assert np.array_equal(first.fold_of, second.fold_of)


def test_photos_that_belong_together_stay_together(demo: Path, tmp_path: Path) -> None:
    recipe = replace(SKIP, group_by=r"(\d)\.\w+$")
    options = CompareOptions(models=("ssd",), folds=3, recipe=recipe)
    first = fold_photos(demo, tmp_path, options)
    for photos in (first, fold_photos(demo, tmp_path, options)):
        groups = photo_groups(photos.dataset)
        assert groups is not None
        assert photos.fold_of is not None
        assert len(set(zip(groups.tolist(), photos.fold_of.tolist(), strict=True))) == len(set(groups)) == 10
        assert photos.fold_of.tolist() == first.fold_of.tolist()  # type: ignore[union-attr]


def test_a_class_that_a_training_would_not_see(demo: Path, tmp_path: Path) -> None:
    labels = fold_photos(demo, tmp_path / "all", CompareOptions(folds=2, recipe=SKIP)).full
    counts = labels.counts()
    rare = int(np.argmin((counts > 0).sum(axis=0)))
    few = labels.subset(np.flatnonzero((counts[:, rare] == 0) | (np.cumsum(counts[:, rare] > 0) == 1)))
    photos = ComparedPhotos(demo, "detection", ("ssd",), few, few)
    with pytest.raises(LabelError, match=rf"no training photo shows (\S+, )*{labels.class_names[rare]}"):
        draw_new_folds(photos, CompareOptions(folds=2), ComparisonFolder(tmp_path))


def test_the_models_have_a_training_per_fold(tmp_path: Path) -> None:
    options = CompareOptions(folds=2, seeds=2)
    models = jobs_by_model(training_jobs(("ssd", "fcos"), options, ComparisonFolder(tmp_path)))
    assert [[job.title for job in model] for model in models] == [
        [f"{method} (seed {seed}), fold {fold}" for fold in (1, 2)]
        for method in ("ssd", "fcos")
        for seed in (0, 1)
    ]
    job = models[0][1]
    assert job.source == tmp_path / "runs" / "ssd-seed-0" / "fold-2"
    assert Job.from_dict(json.loads(json.dumps(job.to_dict()))) == job


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "--folds: expected 2 or more, found 1"),
        ({"folds": 3, "split": "val"}, "every photo is a test photo once. Leave --split out"),
        (
            {"folds": 3, "recipe": SharedRecipe(split_file=Path("split.json"))},
            r"Leave --split-file \(in Python: split_file\) out",
        ),
    ],
)
def test_options_that_folds_exclude(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CompareOptions(**options)  # type: ignore[arg-type]


def test_too_many_folds_leave_no_folder(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--folds 25: there are 24 photos with different bytes\. .* 24 folds"
    ):
        compare_models(demo, CompareOptions(models=("ssd",), folds=25), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_items_of_folds_are_in_the_order_of_the_photos() -> None:
    pooled = PooledItems([["a", "c"], ["b"]], [[0, 2], [1]])
    assert list(pooled) == ["a", "b", "c"]
    assert pooled[1:] == ["b", "c"]
    assert pooled[-1] == "c"
    with pytest.raises(IndexError):
        pooled[3]


@pytest.mark.slow
def test_a_comparison_with_folds(
    demo: Path, recipes: dict[str, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(recipes["mask-rcnn"], model_options=(), on_unseen_classes="skip")
    values = {field.name: getattr(recipe, field.name) for field in fields(Recipe)}
    options = CompareOptions(
        models=("mask-rcnn",),
        recipe=SharedRecipe(**{**values, "model": "auto"}),
        forms=("torch",),
        seconds=0.1,
        folds=2,
    )
    result = compare_models(demo, options, tmp_path / "out")
    (model,) = result.models
    assert (model.evaluation.images, len(model.results), result.folds) == (24, 24, 2)
    assert model.evaluation.seen is not None
    assert not model.evaluation.seen.photos
    assert result.metric == "mask_AP"
    assert model.failures is not None
    analysis = model.failures.to_dict()
    assert analysis["kind"] == "segm"
    assert len(analysis["proposals"]["recall"]) == 10
    assert result.sentences[-1].startswith("The photos are in 2 parts, called folds.")
    assert "2 folds" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    runs = [Run(tmp_path / "out" / "runs" / "mask-rcnn-seed-0" / f"fold-{fold}") for fold in (1, 2)]
    assert all(run.finished for run in runs)
    monkeypatch.setattr("boxmask.comparison.compare.run_worker", None)
    again = compare_models(demo, options, tmp_path / "out")
    assert again.to_dict() == result.to_dict()
