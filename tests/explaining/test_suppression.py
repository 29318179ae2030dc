"""What NMS kept and removed, and by whom."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from boxmask.detectors.contract import Detector
from boxmask.explaining.detection.suppression import KEPT, OVER_LIMIT, Suppression, explain_nms
from boxmask.geometry.boxes import iou
from boxmask.models.table import AnyModel
from boxmask.pipeline.postprocess import nms_top_k
from boxmask.types import Detections
from boxmask.visualization.style import RGBImage

Build = Callable[..., AnyModel]

BOXES = [[0, 0, 10, 10], [1, 0, 11, 10], [2, 0, 12, 10], [0, 0, 10, 10], [50, 50, 60, 60], [70, 70, 80, 80]]
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
LABELS = [0, 0, 0, 1, 1, 0]


def suppress(build: Build, **options: object) -> Suppression:
    """NMS of the boxes above, by the stage that all detectors share."""
    model = build("faster-rcnn", **options)
    assert isinstance(model, Detector)
    tensors = torch.tensor(BOXES).float(), torch.tensor(SCORES), torch.tensor(LABELS)
    return explain_nms(model, lambda copy: nms_top_k(*tensors, ((100, 100), (100, 100)), copy.config))


def test_each_box_is_removed_by_the_first_that_overlaps_it(build: Build) -> None:
    nms = suppress(build, nms_iou=0.7)
    assert nms.candidates.scores.tolist() == pytest.approx(SCORES)
    assert nms.kept.tolist() == [0, 2, 3, 4, 5]  # 0 and 2: IoU 0.67; 3 has another class
    assert nms.remover.tolist() == [KEPT, 0, KEPT, KEPT, KEPT, KEPT]
    assert nms.removed_by(0).tolist() == [1]
    assert suppress(build, nms_iou=0.5).remover.tolist() == [KEPT, 0, 0, KEPT, KEPT, KEPT]


def test_boxes_over_the_limit_are_not_removed_by_another(build: Build) -> None:
    nms = suppress(build, nms_iou=0.5, detections_per_image=2)
    assert nms.kept.tolist() == [0, 3]
    assert nms.remover.tolist() == [KEPT, 0, 0, KEPT, OVER_LIMIT, OVER_LIMIT]


def test_equal_boxes_are_told_apart(build: Build) -> None:
    model = build("faster-rcnn")
    assert isinstance(model, Detector)
    tensors = torch.tensor(BOXES[:1] * 3).float(), torch.tensor(SCORES[:1] * 3), torch.tensor([0, 0, 0])
    nms = explain_nms(model, lambda copy: nms_top_k(*tensors, ((100, 100), (100, 100)), copy.config))
    assert len(nms.candidates) == 3
    assert nms.kept.tolist() == [0]
    assert nms.remover.tolist() == [KEPT, 0, 0]


def test_no_boxes(build: Build) -> None:
    model = build("faster-rcnn")
    assert isinstance(model, Detector)
    tensors = torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64)
    nms = explain_nms(model, lambda copy: nms_top_k(*tensors, ((100, 100), (100, 100)), copy.config))
    assert len(nms.candidates) == len(nms.kept) == len(nms.remover) == 0


@pytest.mark.parametrize(
    "name", ["rcnn", "fast-rcnn", "faster-rcnn", "mask-rcnn", "retinanet", "fcos", "ssd"]
)
def test_nms_of_every_detector(name: str, photo: RGBImage, build: Build) -> None:
    from boxmask.explaining.explain import explain_photo

    model = build(name)
    explanation = explain_photo(model, photo)
    result, data = explanation.result, explanation["nms"].data
    assert isinstance(result, Detections)
    kept, by = data["kept"], data["removed_by"]
    assert np.array_equal(data["boxes"][kept], result.boxes)
    assert np.array_equal(data["scores"][kept], result.scores)
    assert (by[kept] == KEPT).all()
    assert (by == KEPT).sum() == len(kept)
    removed = np.flatnonzero(by >= 0)
    assert len(removed) > 0
    assert set(by[removed].tolist()) <= {*kept.tolist(), *np.flatnonzero(by == OVER_LIMIT).tolist()}
    boxes = torch.from_numpy(data["boxes"])
    for row in removed.tolist():
        assert data["names"][row] == data["names"][by[row]]
        assert data["scores"][row] <= data["scores"][by[row]]
        assert iou(boxes[[row]], boxes[[by[row]]]).item() > data["nms_iou"] - 1e-3


def test_box_voting_moves_boxes_after_nms(photo: RGBImage, build: Build) -> None:
    from boxmask.explaining.explain import explain_photo

    model = build("faster-rcnn", voting_iou=0.6)
    explanation = explain_photo(model, photo)
    result = explanation.result
    assert isinstance(result, Detections)
    assert result == model.predict(photo)
    data = explanation["nms"].data
    assert np.array_equal(data["scores"][data["kept"]], result.scores)
    assert "box voting" in explanation["nms"].text
