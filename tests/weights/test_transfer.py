"""What a new detector takes over from others, part by part and class by class; and what it says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from boxmask.classifiers.classifier import ClassifierConfig, ImageClassifier
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.detectors.rcnn import RCNN, RCNNConfig
from boxmask.detectors.retinanet import RetinaNet, RetinaNetConfig
from boxmask.detectors.ssd import SSD, SSDConfig
from boxmask.errors import CheckpointError, WeightsError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.segmenters.deeplab_v3 import DeepLabV3, DeepLabV3Config
from boxmask.segmenters.fcn import FCN, FCNConfig
from boxmask.segmenters.unet import UNet, UNetConfig
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint
from boxmask.weights.transfer import Joined, Pretrained, transfer_weights

SMALL = {"backbone": "test_resnet", "channels": 16, "rpn_channels": 16, "hidden": 16}
CLASSES = ("date", "fig", "hazelnut")


class MaskHead(nn.Module):
    """Two convolutions and a mask a class, as far as names and shapes go."""

    def __init__(self, channels: int, masks: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3) for _ in range(2))
        self.upsample = nn.ConvTranspose2d(channels, channels, 2)
        self.logits = nn.Conv2d(channels, masks, 1)


class MaskRCNNLike(nn.Module):
    """What `transfer_weights` looks at: `boxes` and `mask_head`."""

    def __init__(self, names: tuple[str, ...], masks: int | None = None, **numbers: object) -> None:
        super().__init__()
        self.boxes = FasterRCNN(FasterRCNNConfig(names, **{**SMALL, **numbers}))  # type: ignore[arg-type]
        channels = self.boxes.config.channels
        self.mask_head = MaskHead(channels, len(names) if masks is None else masks)


def marked(model: nn.Module, seed: int) -> nn.Module:
    """With numbers of its own in every tensor, so that it can be told where each was taken from."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return model


def faster(names: tuple[str, ...] = CLASSES, seed: int = 1, **numbers: object) -> Pretrained:
    model = FasterRCNN(FasterRCNNConfig(names, **{**SMALL, **numbers}))  # type: ignore[arg-type]
    return Pretrained("faster", model.config.backbone, marked(model, seed).state_dict(), names)


def masked(names: tuple[str, ...] = CLASSES, seed: int = 3, masks: int | None = None) -> Pretrained:
    return Pretrained("masked", "test_resnet", marked(MaskRCNNLike(names, masks), seed).state_dict(), names)


def classifier(seed: int = 2, backbone: str = "test_resnet") -> Pretrained:
    model = marked(ImageClassifier(ClassifierConfig(("a", "b"), backbone)), seed)
    return Pretrained("classifier", backbone, model.state_dict(), ("a", "b"))


def fresh(names: tuple[str, ...] = CLASSES, **numbers: object) -> MaskRCNNLike:
    torch.manual_seed(0)
    return MaskRCNNLike(names, **numbers)  # type: ignore[arg-type]


def joined(new: nn.Module, **given: Pretrained) -> tuple[dict[str, Tensor], dict[str, Tensor], Joined]:
    """State before, state after, and what was said."""
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    said = transfer_weights(new, **given)
    return before, new.state_dict(), said


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Of the keys of `a`."""
    return bool(a) and all(torch.equal(tensor, b[key]) for key, tensor in a.items())


# ---------------------------------------------------------------- a detector


def test_a_faster_rcnn_of_the_same_classes_gives_all_it_has() -> None:
    given = faster()
    before, after, said = joined(fresh(), box_detector=given)
    assert same(part(after, "boxes."), dict(given.state))
    assert same(part(after, "mask_head."), part(before, "mask_head."))
    assert said.report == (
        "backbone: from faster (test_resnet)",
        "pyramid: from faster",
        "RPN: from faster",
        "box head: 3 of 3 classes by name (date, fig, hazelnut) from faster",
        "mask head: starts fresh",
    )


def test_it_finds_the_same_boxes_then() -> None:
    given = FasterRCNN(FasterRCNNConfig(CLASSES, **SMALL, score_threshold=0.0)).eval()  # type: ignore[arg-type]
    new = fresh(score_threshold=0.0).eval()
    transfer_weights(new, box_detector=Pretrained("faster", "test_resnet", given.state_dict(), CLASSES))
    photo = torch.randint(0, 256, (3, 90, 120), dtype=torch.uint8)
    assert torch.equal(new.boxes.predict(photo).scores, given.predict(photo).scores)


def test_classes_are_matched_by_name() -> None:
    given = faster(("walnut", "fig", "date"))
    before, after, said = joined(fresh(), box_detector=given)
    theirs, ours, old = (
        part(dict(s), p)
        for s, p in zip(
            (given.state, after, before), ("box_head.", "boxes.box_head.", "boxes.box_head."), strict=True
        )
    )
    for kind in ("weight", "bias"):
        logits, deltas = f"logits.{kind}", f"deltas.{kind}"
        for row, place in ((0, 2), (1, 1), (3, 3)):  # date, fig, background
            assert torch.equal(ours[logits][row], theirs[logits][place])
        assert torch.equal(ours[logits][2], old[logits][2])  # hazelnut
        for row, place in ((0, 2), (1, 1)):
            assert torch.equal(ours[deltas][4 * row : 4 * row + 4], theirs[deltas][4 * place : 4 * place + 4])
        assert torch.equal(ours[deltas][8:], old[deltas][8:])
        assert torch.equal(ours[f"fc6.{kind}"], theirs[f"fc6.{kind}"])
    assert said.report[3] == "box head: 2 of 3 classes by name (date, fig) from faster; hazelnut starts fresh"


@pytest.mark.parametrize("names", [("cell",), ("a", "b", "c", "d", "e")])
def test_none_of_the_classes_is_known(names: tuple[str, ...]) -> None:
    given = faster(names)
    before, after, said = joined(fresh(), box_detector=given)
    assert torch.equal(after["boxes.box_head.logits.bias"][:3], before["boxes.box_head.logits.bias"][:3])
    assert after["boxes.box_head.logits.bias"][3] == given.state["box_head.logits.bias"][-1]
    assert torch.equal(after["boxes.box_head.deltas.weight"], before["boxes.box_head.deltas.weight"])
    assert torch.equal(after["boxes.box_head.fc7.weight"], given.state["box_head.fc7.weight"])
    assert said.report[3] == (
        "box head: from faster, which knows none of the 3 classes; date, fig, hazelnut start fresh"
    )


def test_a_mask_rcnn_gives_its_mask_head_too() -> None:
    given = masked(("fig", "walnut", "date"))
    before, after, said = joined(fresh(), box_detector=given)
    assert same(part(after, "boxes.backbone."), part(dict(given.state), "boxes.backbone."))
    for kind in ("weight", "bias"):
        key = f"mask_head.logits.{kind}"
        assert torch.equal(after[key][0], given.state[key][2])
        assert torch.equal(after[key][1], given.state[key][0])
        assert torch.equal(after[key][2], before[key][2])
    assert torch.equal(after["mask_head.upsample.weight"], given.state["mask_head.upsample.weight"])
    assert (
        said.report[-1] == "mask head: 2 of 3 classes by name (date, fig) from masked; hazelnut starts fresh"
    )


def test_the_order_of_the_files_tensors_does_not_matter() -> None:
    """Files are sorted otherwise than the networks that they hold."""
    given = masked(("fig", "walnut", "date"))
    shuffled = Pretrained("masked", "test_resnet", dict(sorted(given.state.items())), given.class_names)
    expected, found = fresh(), fresh()
    transfer_weights(expected, box_detector=given)
    transfer_weights(found, box_detector=shuffled)
    assert same(expected.state_dict(), found.state_dict())


def test_one_mask_for_all_classes_needs_no_names() -> None:
    given = masked(("fig", "walnut"), masks=1)
    _, after, said = joined(fresh(masks=1), box_detector=given)
    assert same(part(after, "mask_head."), part(dict(given.state), "mask_head."))
    assert said.report[-1] == "mask head: from masked"


def test_a_mask_for_each_class_is_not_one_for_all() -> None:
    before, after, said = joined(fresh(), box_detector=masked(("fig", "walnut"), masks=1))
    assert same(part(after, "mask_head."), part(before, "mask_head."))
    assert said.report[-1].startswith("mask head: starts fresh (mask_head.logits.weight is of (1, 16, 1, 1)")


def test_what_does_not_fit_starts_fresh_and_is_named() -> None:
    before, after, said = joined(fresh(), box_detector=faster(channels=24, hidden=16))
    assert same(part(after, "boxes.fpn."), part(before, "boxes.fpn."))
    assert same(part(after, "boxes.box_head."), part(before, "boxes.box_head."))
    assert said.report[0] == "backbone: from faster (test_resnet)"
    assert said.report[1] == (
        "pyramid: starts fresh (fpn.lateral.0.weight is of (24, 48, 1, 1) numbers, not (16, 48, 1, 1), "
        "in faster)"
    )
    assert said.report[2].startswith("RPN: starts fresh (rpn_head.conv.weight is of")
    assert said.report[3].startswith("box head: starts fresh (box_head.fc6.weight is of")


def test_other_levels_leave_the_pyramid_but_not_the_heads() -> None:
    given = faster(strides=(4, 8, 16, 32), anchor_sizes=((8, 12),) * 5)
    before, after, said = joined(fresh(), box_detector=given)
    assert same(part(after, "boxes.backbone."), part(dict(given.state), "backbone."))
    assert same(part(after, "boxes.fpn."), part(before, "boxes.fpn."))
    assert same(part(after, "boxes.rpn_head."), part(dict(given.state), "rpn_head."))
    assert said.report[1].startswith("pyramid: starts fresh (fpn.lateral.0.weight is of")


def test_a_backbone_that_ends_earlier_gives_what_it_has() -> None:
    given = faster(strides=(8, 16), anchor_sizes=((8, 12),) * 3)
    before, after, said = joined(fresh(), box_detector=given)
    found = part(dict(given.state), "backbone.")
    assert 0 < len(found) < len(part(after, "boxes.backbone."))
    rest = part(after, "boxes.backbone.").keys() - found.keys()
    assert same(found, part(after, "boxes.backbone."))
    assert all(torch.equal(after["boxes.backbone." + k], before["boxes.backbone." + k]) for k in rest)
    assert f"; {len(rest)} of its" in said.report[0]


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "rcnn": lambda: RCNN(RCNNConfig(CLASSES, "test_resnet", hidden=16)),
    "retinanet": lambda: RetinaNet(RetinaNetConfig(CLASSES, "test_resnet", channels=16, tower_channels=16)),
}


@pytest.mark.parametrize("model", OTHERS)
def test_other_detectors_give_their_backbone(model: str) -> None:
    state = marked(OTHERS[model](), 4).state_dict()
    _, after, said = joined(fresh(), box_detector=Pretrained(model, "test_resnet", state, CLASSES))
    assert same(part(state, "backbone."), part(after, "boxes.backbone."))
    assert [line.partition(" (")[0] for line in said.report[2:]] == [
        "RPN: starts fresh",
        "box head: starts fresh",
        "mask head: starts fresh",
    ]


def test_a_pyramid_of_retinanets_fits() -> None:
    state = marked(OTHERS["retinanet"](), 4).state_dict()
    _, after, said = joined(fresh(), box_detector=Pretrained("retinanet", "test_resnet", state, CLASSES))
    assert said.report[1] == "pyramid: from retinanet"
    assert same(part(after, "boxes.fpn."), part(state, "fpn."))


# ---------------------------------------------------------------- a classifier


def test_a_classifier_gives_its_backbone() -> None:
    given = classifier()
    before, after, said = joined(fresh(), classifier=given)
    assert same(part(dict(given.state), "backbone."), part(after, "boxes.backbone."))
    for rest in ("boxes.fpn.", "boxes.rpn_head.", "boxes.box_head.", "mask_head."):
        assert same(part(after, rest), part(before, rest))
    assert said.report == (
        "backbone: from classifier (test_resnet)",
        *(f"{name}: starts fresh" for name in ("pyramid", "RPN", "box head", "mask head")),
    )


def test_with_both_the_backbone_is_the_classifiers_and_the_rest_the_detectors() -> None:
    given, sorter = faster(), classifier()
    _, after, said = joined(fresh(), box_detector=given, classifier=sorter)
    assert same(part(dict(sorter.state), "backbone."), part(after, "boxes.backbone."))
    for name in ("fpn.", "rpn_head.", "box_head."):
        assert same(part(dict(given.state), name), part(after, f"boxes.{name}"))
    assert said.report[:2] == ("backbone: from classifier (test_resnet)", "pyramid: from faster")


@pytest.mark.parametrize("name", ["test_resnet", "tf_efficientnet_lite0"])
def test_timms_weights_are_folded_as_at_birth(name: str) -> None:
    torch.manual_seed(5)
    network = timm.create_model(name)
    for key, tensor in network.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
    _, after, _ = joined(fresh(backbone=name), classifier=Pretrained("timm", name, network.state_dict()))
    expected = Backbone(name, (8, 16, 32), network.state_dict()).state_dict()
    assert same(expected, part(after, "boxes.backbone."))


def test_a_file_of_timms(tmp_path: Path) -> None:
    state = timm.create_model("test_resnet").state_dict()
    save_file(state, tmp_path / "x.safetensors")
    given = Pretrained.from_timm(tmp_path / "x.safetensors", "test_resnet")
    assert (
        transfer_weights(fresh(), classifier=given).report[0]
        == f"backbone: from {given.origin} (test_resnet)"
    )
    assert str(tmp_path / "x.safetensors") in given.origin


def test_a_detector_may_serve_as_the_classifier() -> None:
    for given, prefix in ((faster(), "backbone."), (masked(), "boxes.backbone.")):
        _, after, said = joined(fresh(), classifier=given)
        assert same(part(dict(given.state), prefix), part(after, "boxes.backbone."))
        assert said.report[-2:] == ("box head: starts fresh", "mask head: starts fresh")


def test_a_faster_rcnn_can_be_joined_to_as_well() -> None:
    new = FasterRCNN(FasterRCNNConfig(CLASSES, **SMALL))  # type: ignore[arg-type]
    given, sorter = faster(("fig",)), classifier()
    _, after, said = joined(new, box_detector=given, classifier=sorter)
    assert same(part(dict(sorter.state), "backbone."), part(after, "backbone."))
    assert same(part(dict(given.state), "fpn."), part(after, "fpn."))
    assert len(said.report) == 4


def test_nothing_given_nothing_done() -> None:
    before, after, said = joined(fresh())
    assert same(before, after)
    assert said.report[0] == "backbone: as it was built"


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize("flag", ["detector", "classifier"])
def test_another_backbone_is_refused_and_nothing_changed(flag: str) -> None:
    new = fresh(backbone="tf_efficientnet_lite0")
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    given = {"box_detector": faster()} if flag == "detector" else {"classifier": classifier()}
    with pytest.raises(
        WeightsError, match=rf"--{flag}: (.|\n)*has the backbone test_resnet, and the new"
    ) as e:
        transfer_weights(new, **given)
    assert "--backbone test_resnet" in str(e.value)
    assert same(before, new.state_dict())


def test_one_of_two_with_another_backbone_is_refused() -> None:
    new = fresh()
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    with pytest.raises(WeightsError, match="--classifier"):
        transfer_weights(new, box_detector=faster(), classifier=classifier(backbone="tf_efficientnet_lite0"))
    assert same(before, new.state_dict())


def test_weights_of_another_network_under_this_name() -> None:
    state = timm.create_model("resnet18").state_dict()
    with pytest.raises(WeightsError, match="not of test_resnet"):
        transfer_weights(fresh(), classifier=Pretrained("file", "test_resnet", state))


def test_a_backbone_in_which_nothing_fits() -> None:
    """SSD cuts this one into other layers."""
    state = SSD(SSDConfig(("a",), "tf_efficientnet_lite0")).state_dict()
    strange = {key.replace("backbone.body.", "backbone.other."): tensor for key, tensor in state.items()}
    with pytest.raises(WeightsError, match="nothing in it is of a test_resnet as the new network reads it"):
        transfer_weights(fresh(), box_detector=Pretrained("ssd", "test_resnet", strange, ("a",)))


# ---------------------------------------------------------------- runs


def test_a_run_says_who_it_is(tmp_path: Path) -> None:
    model = FasterRCNN(FasterRCNNConfig(("fig", "Löwe"), **SMALL))  # type: ignore[arg-type]
    save_checkpoint(
        tmp_path / "best.safetensors",
        model.state_dict(),
        CheckpointMetadata("faster-rcnn", asdict(model.config)),
    )
    given = Pretrained.from_run(tmp_path)
    assert given.origin == f"the faster-rcnn of {tmp_path}"
    assert (given.backbone, given.class_names) == ("test_resnet", ("fig", "Löwe"))
    assert same(model.state_dict(), dict(given.state))


def test_a_classifiers_run(tmp_path: Path) -> None:
    model = ImageClassifier(ClassifierConfig(("a", "b"), "test_resnet"))
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, model.state_dict(), CheckpointMetadata("classifier", asdict(model.config)))
    _, after, said = joined(fresh(), classifier=Pretrained.from_run(path))
    assert same(part(model.state_dict(), "backbone."), part(after, "boxes.backbone."))
    assert said.report[0] == f"backbone: from the classifier of {path} (test_resnet)"


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
        Pretrained.from_run(tmp_path)


SEGMENTERS: dict[str, Callable[[], nn.Module]] = {
    "fcn": lambda: FCN(FCNConfig(CLASSES, "test_resnet", hidden=((16, 3),))),
    "unet": lambda: UNet(UNetConfig(CLASSES, "test_resnet", channels=(16, 16, 8, 8))),
    "deeplab-v3": lambda: DeepLabV3(DeepLabV3Config(CLASSES, "test_resnet", channels=16)),
}


@pytest.mark.parametrize("model", SEGMENTERS)
def test_segmenters_take_backbones_of_runs_and_of_timms_files(model: str) -> None:
    timms = timm.create_model("test_resnet").state_dict()
    for given in (classifier(), faster(), Pretrained("timm", "test_resnet", timms)):
        before, after, said = joined(SEGMENTERS[model](), classifier=given)
        assert not same(part(before, "backbone.body."), part(after, "backbone.body."))
        assert said.report == (f"backbone: from {given.origin} (test_resnet)",)
        rest = {key: tensor for key, tensor in before.items() if not key.startswith("backbone.")}
        assert same(rest, after)


def test_a_papers_own_backbone_has_no_weights_of_timms() -> None:
    new = UNet(UNetConfig(CLASSES, "plain", strides=(1, 2, 4, 8, 16)))
    with pytest.raises(WeightsError, match="nothing in it is of a plain as the new network reads it"):
        transfer_weights(
            new, classifier=Pretrained("timm", "plain", timm.create_model("test_resnet").state_dict())
        )
