"""Runs as one model: what fits together, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.prediction.fusion.classifier import FusedClassifier
from boxmask.prediction.fusion.detector import FusedDetector
from boxmask.prediction.fusion.segmenter import FusedSegmenter
from boxmask.prediction.tiles.detector import TiledDetector
from boxmask.prediction.view_options import ViewOptions
from boxmask.runs.photo_sides import training_photo_side
from boxmask.tasks.table import task_of
from boxmask.tasks.views import load_with_views

Runs = Callable[[str], Path]


def test_without_options_the_model_itself_is_loaded(trained: Path) -> None:
    assert type(load_with_views(trained, ViewOptions())).__name__ == "FasterRCNN"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("mask-rcnn", FusedDetector), ("unet", FusedSegmenter), ("classifier", FusedClassifier)],
)
def test_every_kind_of_model_has_ensembles_and_test_time_augmentation(
    runs: Runs, kind: str, expected: type
) -> None:
    run = runs(kind)
    for views in (ViewOptions(tta=True), ViewOptions(with_runs=(run,))):
        model = load_with_views(run, views)
        assert type(model) is expected
        assert task_of(model) == task_of(kind)


def test_tiles_are_as_large_as_the_training_photos(trained: Path, demo: Path, tmp_path: Path) -> None:
    side = training_photo_side(trained)
    assert side is not None
    model = load_with_views(trained, ViewOptions(tiles="auto", tile_overlap=0.5))
    assert isinstance(model, TiledDetector)
    assert (model.tile, model.overlap) == (side, 0.5)
    assert task_of(model) == task_of("faster-rcnn")


def test_without_the_training_photos_tiles_are_as_large_as_the_network_input(
    trained: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "best.safetensors"
    checkpoint.write_bytes((trained / "best.safetensors").read_bytes())
    assert training_photo_side(checkpoint) is None
    assert load_with_views(checkpoint, ViewOptions(tiles="auto")).tile == 64


def test_tiles_of_small_training_photos_have_the_least_side(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxmask.tasks.views.training_photo_side", lambda run: 28)
    assert load_with_views(trained, ViewOptions(tiles="auto")).tile == 32


def test_an_ensemble_in_tiles_with_augmentation(trained: Path) -> None:
    views = ViewOptions(tiles=50, tta=True, tta_scales=(1.0, 2.0), with_runs=(trained,))
    model = load_with_views(trained, views)
    assert isinstance(model, TiledDetector)
    assert isinstance(model.detector, FusedDetector)
    assert len(model.detector.views) == 8


def test_runs_of_different_kinds_are_refused(runs: Runs) -> None:
    with pytest.raises(UsageError, match="give different kinds of results"):
        load_with_views(runs("unet"), ViewOptions(with_runs=(runs("classifier"),)))


def test_segmenters_that_see_tiles_can_see_other_tiles(runs: Runs) -> None:
    assert load_with_views(runs("tiles"), ViewOptions(tiles="auto")).config.tile == 64
    model = load_with_views(runs("tiles"), ViewOptions(tiles=96, tile_overlap=0.5))
    assert (model.config.tile, model.config.tile_overlap) == (96, 0.5)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("unet", "--tiles: this segmenter was trained on whole photos. Leave the option out, or train with"),
        ("classifier", "--tiles is for detectors and segmenters, not for classifiers"),
    ],
)
def test_tiles_are_refused_where_they_do_not_fit(runs: Runs, kind: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_with_views(runs(kind), ViewOptions(tiles=64))
