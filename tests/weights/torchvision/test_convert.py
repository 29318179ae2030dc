"""torchvision's weights with our keys. Equal results are tested in tests/parity."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn, fasterrcnn_resnet50_fpn

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import UsageError, WeightsError
from boxmask.models.table import make_config
from boxmask.weights import from_torchvision
from boxmask.weights.checkpoint import CheckpointMetadata, load_model, save_checkpoint

NAME = "fasterrcnn_resnet50_fpn"


@pytest.fixture(scope="module")
def state() -> Mapping[str, Tensor]:
    """Of three classes and the background."""
    state: Mapping[str, Tensor] = fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=4
    ).state_dict()
    return state


def test_tensors_are_renamed(state: Mapping[str, Tensor]) -> None:
    ours = from_torchvision(NAME, state).state_dict()
    logits = state["roi_heads.box_predictor.cls_score.weight"]
    assert torch.equal(ours["box_head.logits.weight"], logits[[1, 2, 3, 0]])  # the background is our last
    assert torch.equal(ours["box_head.deltas.bias"], state["roi_heads.box_predictor.bbox_pred.bias"][4:])
    assert torch.equal(ours["rpn_head.conv.weight"], state["rpn.head.conv.0.0.weight"])
    assert torch.equal(ours["fpn.output.3.bias"], state["backbone.fpn.layer_blocks.3.0.bias"])
    assert torch.equal(ours["backbone.body.conv1.weight"], state["backbone.body.conv1.weight"])


def test_class_names(state: Mapping[str, Tensor]) -> None:
    assert from_torchvision(NAME, state).config.class_names == ("class 1", "class 2", "class 3")
    named = from_torchvision(NAME, state, class_names=("cat", "dog", "owl"))
    assert named.config.class_names == ("cat", "dog", "owl")
    assert not named.training


def test_coco_names_if_there_are_as_many_classes(state: Mapping[str, Tensor]) -> None:
    wide = dict(state)
    for part, rows in (("cls_score", 91), ("bbox_pred", 91 * 4)):
        wide[f"roi_heads.box_predictor.{part}.weight"] = torch.zeros(rows, 1024)
        wide[f"roi_heads.box_predictor.{part}.bias"] = torch.zeros(rows)
    names = from_torchvision(NAME, wide).config.class_names
    assert names[:2] == ("person", "bicycle")
    assert names[-1] == "toothbrush"
    assert len(set(names)) == 90


def test_a_wrong_number_of_names_is_rejected(state: Mapping[str, Tensor]) -> None:
    with pytest.raises(WeightsError, match="class_names: these weights have 3 classes, found 2 names"):
        from_torchvision(NAME, state, class_names=("cat", "dog"))


def test_another_epsilon_changes_the_scale(state: Mapping[str, Tensor]) -> None:
    default = from_torchvision(NAME, state).state_dict()["backbone.body.conv1.scale"]
    other = from_torchvision(NAME, state, batch_norm_eps=0.0).state_dict()["backbone.body.conv1.scale"]
    torch.testing.assert_close(default, torch.full((64,), 1.00001).rsqrt())
    torch.testing.assert_close(other, torch.ones(64), rtol=0, atol=1e-7)


def test_an_unknown_network(state: Mapping[str, Tensor]) -> None:
    with pytest.raises(
        WeightsError, match="unknown torchvision network 'ssd'; choose from: fasterrcnn_resnet50"
    ):
        from_torchvision("ssd", state)


NEEDED = ("roi_heads.box_predictor.cls_score.weight", "rpn.head.conv.0.0.bias", "backbone.body.conv1.weight")


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_tensor(state: Mapping[str, Tensor], missing: str) -> None:
    with pytest.raises(WeightsError, match=r"these (are not the )?weights"):
        from_torchvision(NAME, {key: value for key, value in state.items() if key != missing})


def test_an_unknown_tensor(state: Mapping[str, Tensor]) -> None:
    with pytest.raises(WeightsError, match=r"rpn\.more"):
        from_torchvision(NAME, {**state, "rpn.more": torch.zeros(1)})


def test_a_tensor_of_another_shape(state: Mapping[str, Tensor]) -> None:
    with pytest.raises(WeightsError, match="size mismatch"):
        from_torchvision(NAME, {**state, "rpn.head.conv.0.0.bias": torch.zeros(7)})


def test_weights_of_another_network_are_rejected(state: Mapping[str, Tensor]) -> None:
    other = fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=4)
    for wrong in (other.state_dict(), {}, {"a": torch.zeros(1)}):
        with pytest.raises(WeightsError, match=r"these (are not the )?weights"):
            from_torchvision(NAME, wrong)


@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", "fcos_resnet50_fpn"])
@pytest.mark.parametrize(("logits", "boxes"), [((), ()), ((0,), (0,)), ((27,), (3,))])
def test_heads_of_a_shape_without_anchors_are_refused(
    name: str, logits: tuple[int, ...], boxes: tuple[int, ...]
) -> None:
    state = {
        "head.classification_head.cls_logits.bias": torch.zeros(logits),
        "head.regression_head.bbox_reg.bias": torch.zeros(boxes),
    }
    with pytest.raises(WeightsError, match="its box head has no anchor"):
        from_torchvision(name, state)


def test_a_converted_network_is_saved_and_loaded(tmp_path: Path) -> None:
    """With its unusual config: two maps of stride 32, and a threshold for proposals."""
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    theirs = fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=3)
    ours = from_torchvision(name, theirs.state_dict(), ("cat", "dog"))
    metadata = CheckpointMetadata("faster-rcnn", asdict(ours.config))
    save_checkpoint(tmp_path / "best.safetensors", ours.state_dict(), metadata)
    loaded = load_model(tmp_path, "cpu")
    assert loaded.config == ours.config
    assert loaded.config.proposal_threshold == 0.05
    photo = torch.rand(3, 90, 120)
    found, expected = loaded.predict([photo])[0], ours.predict([photo])[0]
    assert np.array_equal(found.boxes, expected.boxes)
    assert np.array_equal(found.scores, expected.scores)


def test_other_strides_do_not_fit_mobilenet() -> None:
    config = make_config("faster-rcnn", "default", class_names=("a",), backbone="mobilenet_v3_large")
    with pytest.raises(UsageError, match=r"has maps of strides \(32, 32\), found \(8, 16, 32\)"):
        FasterRCNN(config)
