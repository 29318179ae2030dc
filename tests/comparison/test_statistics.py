"""The metric that decides, and the spread between seeds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.comparison.jobs import Job
from boxmask.comparison.report.sentences import translated_sentences
from boxmask.comparison.shared_recipe import SharedRecipe
from boxmask.comparison.statistics import deciding_metric, describe, spreads_of


def model(name: str, method: str, **metrics: float | None) -> Any:
    return SimpleNamespace(name=name, method=method, evaluation=metrics)


def test_masks_decide_if_all_models_find_them() -> None:
    boxes, masks = model("ssd", "ssd", AP=0.4), model("mask", "mask-rcnn", AP=0.4, mask_AP=0.3)
    assert deciding_metric("detection", [masks]) == "mask_AP"
    assert deciding_metric("detection", [masks, boxes]) == "AP"
    assert deciding_metric("detection", []) == "AP"
    assert deciding_metric("segmentation", []) == "mIoU"


def test_the_spread_is_that_of_trainings_of_this_comparison() -> None:
    models = [model("ssd (seed 0)", "ssd", AP=0.4), model("ssd (seed 1)", "ssd", AP=0.6)]
    models += [model("my-run", "ssd", AP=0.9), model("fcos (seed 0)", "fcos", AP=None)]
    recipe = SharedRecipe()
    jobs = [Job(f"ssd (seed {seed})", "", Path("run"), recipe.of_model("ssd", seed)) for seed in range(2)]
    jobs += [Job("my-run", "", Path("run"), None), Job("fcos (seed 0)", "", Path("x"), recipe)]
    (spread,) = spreads_of(jobs, models, "AP")
    assert (spread.method, spread.metric, spread.values) == ("ssd", "AP", (0.4, 0.6))
    assert spread.mean == pytest.approx(0.5)
    assert spread.deviation == pytest.approx(0.2 / 2**0.5)


def test_metrics_over_different_classes_are_not_compared() -> None:
    models = [model("ssd", "ssd", AP=0.4), model("fcos", "fcos", AP=0.6)]
    for each in models:
        each.training = None
    photos: Any = SimpleNamespace(dataset=(), fold_of=None)
    (sentence,) = describe(photos, models, "AP", ())
    assert sentence.startswith("The differences are not tested, because a model does not know all classes")
    ((_, translations),) = translated_sentences([sentence])
    assert set(translations) == {"ko"}
    assert describe(photos, models[:1], "AP", ()) == ()
