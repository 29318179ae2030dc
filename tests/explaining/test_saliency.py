"""D-RISE: which parts of the photo detections depend on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.explaining.detection.saliency import random_mask, saliency_maps, similarities
from boxmask.explaining.explain import ExplainOptions, explain_photo
from boxmask.models.table import AnyModel
from boxmask.types import Detections
from boxmask.visualization.style import RGBImage

Build = Callable[..., AnyModel]

NAMES = ("a", "b")


def found(boxes: list[list[float]], scores: list[float], labels: list[int]) -> Detections:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(array, np.array(scores, np.float32), np.array(labels, np.int64), NAMES, (80, 120))


class OfOnePatch:
    """Finds one box, with the brightness of a patch outside of it as its score."""

    config = SimpleNamespace()

    def predict(self, images: list[Tensor]) -> list[Detections]:
        score = float(images[0][:, 10:30, 80:110].mean())
        return [found([[10, 40, 40, 70]], [score], [0])]


def test_the_map_shows_what_the_score_depends_on() -> None:
    photo = torch.zeros(3, 80, 120, dtype=torch.uint8)
    photo[:, 10:30, 80:110] = 255
    [saliency] = saliency_maps(OfOnePatch(), photo, found([[10, 40, 40, 70]], [1.0], [0]), 300)  # type: ignore[arg-type]
    assert saliency.shape == (80, 120)
    y, x = np.unravel_index(saliency.argmax(), saliency.shape)
    assert 5 <= y <= 35
    assert 75 <= x <= 115
    assert saliency[10:30, 80:110].mean() > 5 * abs(saliency[40:70, 10:40].mean())


def test_similarity_is_overlap_times_score_within_the_class() -> None:
    boxes, labels = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]]), torch.tensor([0, 1])
    detections = found([[50, 50, 60, 60], [0, 0, 10, 5], [0, 0, 10, 10]], [0.9, 0.8, 0.2], [0, 0, 0])
    assert similarities(boxes, labels, detections).tolist() == pytest.approx([0.4, 0.0])
    assert similarities(boxes, labels, found([], [], [])).tolist() == [0, 0]


def test_masks_are_random_smooth_and_the_same_for_a_seed() -> None:
    one, two = (random_mask((37, 91), torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (37, 91)
    assert 0 <= one.min() <= one.max() <= 1
    generator = torch.Generator().manual_seed(0)
    mean = torch.stack([random_mask((40, 60), generator) for _ in range(200)]).mean(0)
    assert mean.mean().item() == pytest.approx(0.5, abs=0.02)


def test_saliency_is_a_stage_before_the_detections(photo: RGBImage, build: Build) -> None:
    calls: list[tuple[int, int]] = []
    model = build("faster-rcnn")
    options = ExplainOptions(min_score=0.0, saliency=3)
    explanation = explain_photo(model, photo, options, lambda done, total: calls.append((done, total)))
    assert [stage.name for stage in explanation][-2:] == ["saliency", "detections"]
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert explanation["saliency"].data["maps"].shape == (4, 120, 150)


def test_selective_search_runs_once(photo: RGBImage, monkeypatch: pytest.MonkeyPatch, build: Build) -> None:
    model = build("fast-rcnn")
    assert isinstance(model, Detector)
    searches = []
    propose = type(model).propose
    monkeypatch.setattr(type(model), "propose", lambda *a: searches.append(1) or propose(*a))
    explain_photo(model, photo, ExplainOptions(saliency=3))
    assert len(searches) == 2  # for the stages, and for the copies


def test_without_detections_there_is_no_saliency(photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build("fcos", score_threshold=1.0), photo, ExplainOptions(saliency=3))
    assert "saliency" not in [stage.name for stage in explanation]
