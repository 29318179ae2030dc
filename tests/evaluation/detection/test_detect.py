"""Evaluation sees the same detections as prediction, whatever else is predicted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.detectors.contract import Detector
from boxmask.evaluation.detection.detect import detect_all, propose_all
from boxmask.models.table import make_config, model_entry
from boxmask.photos.read import load_photo
from boxmask.pipeline.selective_search.search import MODES

SEARCH = replace(MODES["single"], width=100, min_box_size=4)
OPTIONS: dict[str, dict[str, object]] = {
    "fast-rcnn": {"search": SEARCH, "stride": 8, "hidden": 16, "score_threshold": 0.0},
    "faster-rcnn": {"hidden": 16, "score_threshold": 0.0},
}


@pytest.fixture
def four_photos(demo: Path) -> DetectionDataset:
    return read_detection(demo).split("test")


@pytest.fixture(params=OPTIONS)
def detector(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    four_photos: DetectionDataset,
) -> Detector:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path))
    torch.manual_seed(0)
    options = {"backbone": "test_resnet", "shorter_side": 64, "longer_side": 96, **OPTIONS[request.param]}
    config = make_config(request.param, "default", class_names=four_photos.class_names, **options)
    network = model_entry(request.param).build(config, None)
    assert isinstance(network, Detector)
    return network.eval()


def test_evaluation_equals_prediction(detector: Detector, four_photos: DetectionDataset) -> None:
    """One by one, in a list, in a reversed list, from paths and from decoded photos."""
    evaluated = detect_all(detector, four_photos)
    assert sum(map(len, evaluated)) > 20
    paths = [four_photos.path(photo) for photo in range(len(four_photos))]
    assert detector.predict(paths) == evaluated
    assert detector.predict(paths[::-1])[::-1] == evaluated
    assert [detector.predict(load_photo(path)) for path in paths] == evaluated
    assert detect_all(detector, four_photos) == evaluated  # with proposals from the cache


def test_proposals_are_those_that_detections_are_made_from(
    detector: Detector, four_photos: DetectionDataset
) -> None:
    proposals = propose_all(detector, four_photos)
    assert proposals is not None
    expected = detect_all(detector, four_photos)
    paths = [four_photos.path(photo) for photo in range(len(four_photos))]
    for path, boxes, found in zip(paths, proposals, expected, strict=True):
        assert found.boxes == pytest.approx(detector.predict(path, proposals=boxes).boxes, abs=0.01)


def test_mask_rcnn_has_proposals_and_one_stage_detectors_have_none(four_photos: DetectionDataset) -> None:
    options = {"backbone": "test_resnet", "shorter_side": 64, "longer_side": 96}
    for name, expected in (("mask-rcnn", 4), ("retinanet", None)):
        config = make_config(name, "default", class_names=four_photos.class_names, **options)
        network = model_entry(name).build(config, None)
        assert isinstance(network, Detector)
        proposals = propose_all(network.eval(), four_photos)
        assert expected == (None if proposals is None else len(list(proposals)))
