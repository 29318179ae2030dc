"""Everything that a config holds is a part of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from boxmask.exporting.parity.check import compare_batch
from boxmask.exporting.parity.photos import generated_photos
from boxmask.exporting.session import Session
from boxmask.exporting.table import build_graph
from boxmask.models.table import AnyModel, make_config, model_entry
from boxmask.weights.imagenet import backbone_weights

SMALL = {"shorter_side": 96, "longer_side": 160, "score_threshold": 0.01}
TWO_STAGES = {**SMALL, "channels": 64, "rpn_channels": 64, "hidden": 64}
SINGLE_MAP = {
    "strides": (16,),
    "channels": 0,
    "anchor_sizes": ((32, 64, 96),),
    "roi_max_pool": True,
    "antialias": False,
}
VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    "box voting": ("faster-rcnn", {**TWO_STAGES, "voting_iou": 0.6}),
    "few proposals": ("faster-rcnn", {**TWO_STAGES, "proposal_threshold": 0.5, "test_proposals": (40, 20)}),
    "one map and RoI max pooling": ("faster-rcnn", {**TWO_STAGES, **SINGLE_MAP}),
    "deep heads": ("faster-rcnn", {**TWO_STAGES, "box_convs": 2, "rpn_depth": 2}),
    "few detections": ("retinanet", {**SMALL, "channels": 64, "detections_per_image": 5, "norm_groups": 0}),
    "relu distances": ("fcos", {**SMALL, "channels": 64, "exponential_distances": False, "nms_iou": 0.3}),
    "steps between default boxes": (
        "ssd",
        {
            "shorter_side": 160,
            "score_threshold": 0.01,
            "strides": (16,),
            "extra_layers": ((64, 3, 2, 1),),
            "scales": (0.3, 0.38, 0.42),
            "aspect_ratios": ((2,), (2,)),
            "default_box_strides": (16, 32),
            "depthwise": False,
        },
    ),
}


def build(model: str, options: dict[str, object]) -> AnyModel:
    """A detector whose heads have larger weights than new ones, so that scores differ."""
    torch.manual_seed(0)
    config = make_config(model, "default", class_names=("a", "b"), **options)
    detector = model_entry(model).build(config, backbone_weights("tf_efficientnet_lite0")).eval()
    for name, layer in detector.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and "backbone" not in name:
            nn.init.normal_(layer.weight, std=max(0.05, float(layer.weight.detach().std())))
    return detector  # type: ignore[return-value]


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants(variant: str, tmp_path: Path) -> None:
    detector = build(*VARIANTS[variant])
    path = tmp_path / "model.onnx"
    path.write_bytes(build_graph(detector).model().SerializeToString())
    session, photos = Session(path), generated_photos()
    for batch in (photos[:1], photos[3:4], photos[:3]):
        differences = compare_batch(session, detector, batch)
        assert differences.compared > 0
        assert differences.mismatches == 0
        assert differences.box < 0.1
        assert differences.score < 1e-3


def test_box_voting_moves_boxes(tmp_path: Path) -> None:
    """Otherwise the test of it above would hold nothing."""
    boxes = []
    for voting_iou in (0.0, 0.6):
        path = tmp_path / f"{voting_iou}.onnx"
        detector = build("faster-rcnn", {**TWO_STAGES, "voting_iou": voting_iou})
        path.write_bytes(build_graph(detector).model().SerializeToString())
        boxes.append(Session(path).run([generated_photos()[0].pixels])["boxes"])
    assert boxes[0].shape == boxes[1].shape
    assert np.abs(boxes[0] - boxes[1]).max() > 0.5
