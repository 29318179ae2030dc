"""The stage of Selective Search, its warnings and its cache, on six photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.errors import TrainingError
from boxmask.evaluation.detection.detect import detect_all
from boxmask.pipeline.selective_search import cache as proposal_cache
from boxmask.runs.recipe import Recipe
from boxmask.training.train import train
from boxmask.weights.checkpoint import load_detector

Staged = Callable[[str], Any]
TinyRecipe = Callable[[str], Recipe]


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn"])
def test_proposals_without_recall_give_a_warning(
    demo: Path,
    tiny: TinyRecipe,
    six_photos: DetectionDataset,
    tmp_path: Path,
    model: str,
    stage_report: Callable[[], Any],
) -> None:
    report = stage_report()
    assert train(demo, replace(tiny(model), preset="blind"), tmp_path / "run", report)[1]
    assert (
        "proposals: 1 per photo cover 0.0% of the training objects at IoU 0.5, 0.0% at 0.7" in report.messages
    )
    names = [six_photos.class_names[label] for label in np.unique(six_photos.labels)]
    (warning,) = [text for text in report.messages if "no proposal covers" in text]
    assert f"any training object of {', '.join(names)} at IoU 0.5" in warning
    assert "--model faster-rcnn" in warning


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn"])
def test_classes_with_a_single_example_give_a_warning(
    staged: Staged, six_photos: DetectionDataset, model: str
) -> None:
    counts = np.bincount(six_photos.labels, minlength=len(six_photos.class_names))
    single = [name for name, count in zip(six_photos.class_names, counts, strict=True) if count == 1]
    assert single  # these six photos have some
    messages = staged(model).report.messages
    assert f"warning: only one training example of {', '.join(single)}. Label more of them." in messages


def test_a_search_that_takes_too_much_time_is_an_error(demo: Path, tiny: TinyRecipe, tmp_path: Path) -> None:
    recipe = replace(tiny("fast-rcnn"), epochs=None, max_minutes=1e-9)
    with pytest.raises(TrainingError, match=r"Selective Search took .* of the 1e-09 minutes for 0 of 7"):
        train(demo, recipe, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_photo_is_searched_once_for_training_and_evaluation(
    demo: Path, tiny: TinyRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))
    searches: list[object] = []
    search = proposal_cache.selective_search
    monkeypatch.setattr(
        proposal_cache, "selective_search", lambda *args: (searches.append(args), search(*args))[1]
    )
    run, _ = train(demo, tiny("fast-rcnn"), tmp_path / "run")
    dataset = read_detection(demo, split_file=run.split_file)
    assert len(searches) == len(list((tmp_path / "cache").rglob("*.npy"))) == 7
    detector = load_detector(run.path)
    detections = detect_all(detector, dataset.split("val"))
    assert len(searches) == 7
    path = dataset.split("val").path(0)
    proposals = proposal_cache.ProposalCache(detector.config.search).boxes(path)
    assert np.array_equal(detections[0].boxes, detector.predict(path, proposals=proposals).boxes)
