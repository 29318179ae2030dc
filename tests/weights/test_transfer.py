"""Weight transfer from trained networks, part by part and class by class, and its report."""

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
from boxmask.weights.transfer import Pretrained, transfer_weights

SMALL = {"backbone": "test_resnet", "channels": 16, "rpn_channels": 16, "hidden": 16}
CLASSES = ("date", "fig", "hazelnut")


class MaskHead(nn.Module):
    """Two convolutions and one mask per class, with the names and shapes of a mask head."""

    def __init__(self, channels: int, masks: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3) for _ in range(2))
        self.upsample = nn.ConvTranspose2d(channels, channels, 2)
        self.logits = nn.Conv2d(channels, masks, 1)


class MaskRCNNLike(nn.Module):
    """What `transfer_weights` reads of a Mask R-CNN: `boxes` and `mask_head`."""

    def __init__(self, names: tuple[str, ...], masks: int | None = None, **options: object) -> None:
        super().__init__()
        self.boxes = FasterRCNN(FasterRCNNConfig(names, **{**SMALL, **options}))  # type: ignore[arg-type]
        channels = self.boxes.config.channels
        self.mask_head = MaskHead(channels, len(names) if masks is None else masks)


def randomized(model: nn.Module, seed: int) -> nn.Module:
    """Fill every tensor with random values, so that its origin can be recognized."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return model


def faster(names: tuple[str, ...] = CLASSES, seed: int = 1, **options: object) -> Pretrained:
    model = FasterRCNN(FasterRCNNConfig(names, **{**SMALL, **options}))  # type: ignore[arg-type]
    return Pretrained("faster", model.config.backbone, randomized(model, seed).state_dict(), names)


def masked(names: tuple[str, ...] = CLASSES, seed: int = 3, masks: int | None = None) -> Pretrained:
    return Pretrained(
        "masked", "test_resnet", randomized(MaskRCNNLike(names, masks), seed).state_dict(), names
    )


def classifier(seed: int = 2, backbone: str = "test_resnet") -> Pretrained:
    model = randomized(ImageClassifier(ClassifierConfig(("a", "b"), backbone)), seed)
    return Pretrained("classifier", backbone, model.state_dict(), ("a", "b"))


def new_mask_rcnn(names: tuple[str, ...] = CLASSES, **options: object) -> MaskRCNNLike:
    torch.manual_seed(0)
    return MaskRCNNLike(names, **options)  # type: ignore[arg-type]


def transferred(
    network: nn.Module, **sources: Pretrained
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, str]]:
    """State before, state after, and the report."""
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    report = transfer_weights(network, **sources)
    return before, network.state_dict(), report


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Whether `b` holds every tensor of `a`."""
    return bool(a) and all(torch.equal(tensor, b[key]) for key, tensor in a.items())


# ---------------------------------------------------------------- a detector


def test_a_faster_rcnn_of_the_same_classes_gives_all_parts() -> None:
    source = faster()
    before, after, report = transferred(new_mask_rcnn(), detector=source)
    assert same(part(after, "boxes."), dict(source.state))
    assert same(part(after, "mask_head."), part(before, "mask_head."))
    assert report == {
        "backbone": "from faster (test_resnet)",
        "pyramid": "from faster",
        "RPN": "from faster",
        "box head": "3 of 3 classes by name (date, fig, hazelnut) from faster",
        "mask head": "newly initialized",
    }


def test_the_transferred_boxes_are_the_same() -> None:
    source = FasterRCNN(FasterRCNNConfig(CLASSES, **SMALL, score_threshold=0.0)).eval()  # type: ignore[arg-type]
    new = new_mask_rcnn(score_threshold=0.0).eval()
    transfer_weights(new, detector=Pretrained("faster", "test_resnet", source.state_dict(), CLASSES))
    photo = torch.randint(0, 256, (3, 90, 120), dtype=torch.uint8)
    assert torch.equal(new.boxes.predict(photo).scores, source.predict(photo).scores)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9"), (" fig", "fig")]
)
def test_classes_are_matched_in_any_unicode_form(theirs: str, ours: str) -> None:
    source = faster((theirs, "date", "walnut"))
    _, after, report = transferred(new_mask_rcnn(("date", ours, "plum")), detector=source)
    assert report["box head"].startswith("2 of 3 classes by name")
    logits = part(after, "boxes.box_head.logits.")
    assert torch.equal(logits["weight"][1], dict(source.state)["box_head.logits.weight"][0])


def test_classes_are_matched_by_name() -> None:
    source = faster(("walnut", "fig", "date"))
    before, after, report = transferred(new_mask_rcnn(), detector=source)
    theirs, ours, old = (
        part(dict(s), p)
        for s, p in zip(
            (source.state, after, before), ("box_head.", "boxes.box_head.", "boxes.box_head."), strict=True
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
    assert report["box head"] == "2 of 3 classes by name (date, fig) from faster; hazelnut newly initialized"


@pytest.mark.parametrize("names", [("cell",), ("a", "b", "c", "d", "e")])
def test_without_common_classes_the_background_and_shared_layers_are_transferred(
    names: tuple[str, ...],
) -> None:
    source = faster(names)
    before, after, report = transferred(new_mask_rcnn(), detector=source)
    assert torch.equal(after["boxes.box_head.logits.bias"][:3], before["boxes.box_head.logits.bias"][:3])
    assert after["boxes.box_head.logits.bias"][3] == source.state["box_head.logits.bias"][-1]
    assert torch.equal(after["boxes.box_head.deltas.weight"], before["boxes.box_head.deltas.weight"])
    assert torch.equal(after["boxes.box_head.fc7.weight"], source.state["box_head.fc7.weight"])
    assert report["box head"] == (
        "from faster, which has none of the 3 classes; date, fig, hazelnut newly initialized"
    )


def test_a_mask_rcnn_also_gives_its_mask_head() -> None:
    source = masked(("fig", "walnut", "date"))
    before, after, report = transferred(new_mask_rcnn(), detector=source)
    assert same(part(after, "boxes.backbone."), part(dict(source.state), "boxes.backbone."))
    for kind in ("weight", "bias"):
        key = f"mask_head.logits.{kind}"
        assert torch.equal(after[key][0], source.state[key][2])
        assert torch.equal(after[key][1], source.state[key][0])
        assert torch.equal(after[key][2], before[key][2])
    assert torch.equal(after["mask_head.upsample.weight"], source.state["mask_head.upsample.weight"])
    assert report["mask head"] == "2 of 3 classes by name (date, fig) from masked; hazelnut newly initialized"


def test_the_order_of_tensors_does_not_matter() -> None:
    """Files sort tensors by name, networks by layer."""
    source = masked(("fig", "walnut", "date"))
    shuffled = Pretrained("masked", "test_resnet", dict(sorted(source.state.items())), source.class_names)
    expected, found = new_mask_rcnn(), new_mask_rcnn()
    transfer_weights(expected, detector=source)
    transfer_weights(found, detector=shuffled)
    assert same(expected.state_dict(), found.state_dict())


def test_a_class_agnostic_mask_head_is_transferred_without_names() -> None:
    source = masked(("fig", "walnut"), masks=1)
    _, after, report = transferred(new_mask_rcnn(masks=1), detector=source)
    assert same(part(after, "mask_head."), part(dict(source.state), "mask_head."))
    assert report["mask head"] == "from masked"


def test_a_class_agnostic_mask_head_does_not_fit_one_mask_per_class() -> None:
    before, after, report = transferred(new_mask_rcnn(), detector=masked(("fig", "walnut"), masks=1))
    assert same(part(after, "mask_head."), part(before, "mask_head."))
    assert report["mask head"].startswith(
        "newly initialized (mask_head.logits.weight has shape (1, 16, 1, 1)"
    )


def test_parts_that_do_not_fit_are_newly_initialized_and_the_report_says_why() -> None:
    before, after, report = transferred(new_mask_rcnn(), detector=faster(channels=24, hidden=16))
    assert same(part(after, "boxes.fpn."), part(before, "boxes.fpn."))
    assert same(part(after, "boxes.box_head."), part(before, "boxes.box_head."))
    assert report["backbone"] == "from faster (test_resnet)"
    assert report["pyramid"] == (
        "newly initialized (fpn.lateral.0.weight has shape (24, 48, 1, 1) in faster, expected (16, 48, 1, 1))"
    )
    assert report["RPN"].startswith("newly initialized (rpn_head.conv.weight has shape")
    assert report["box head"].startswith("newly initialized (box_head.fc6.weight has shape")


def test_other_levels_rule_out_the_pyramid_but_not_the_heads() -> None:
    source = faster(strides=(4, 8, 16, 32), anchor_sizes=((8, 12),) * 5)
    before, after, report = transferred(new_mask_rcnn(), detector=source)
    assert same(part(after, "boxes.backbone."), part(dict(source.state), "backbone."))
    assert same(part(after, "boxes.fpn."), part(before, "boxes.fpn."))
    assert same(part(after, "boxes.rpn_head."), part(dict(source.state), "rpn_head."))
    assert report["pyramid"].startswith("newly initialized (fpn.lateral.0.weight has shape")


def test_a_backbone_with_fewer_stages_gives_those() -> None:
    source = faster(strides=(8, 16), anchor_sizes=((8, 12),) * 3)
    before, after, report = transferred(new_mask_rcnn(), detector=source)
    found = part(dict(source.state), "backbone.")
    assert 0 < len(found) < len(part(after, "boxes.backbone."))
    rest = part(after, "boxes.backbone.").keys() - found.keys()
    assert same(found, part(after, "boxes.backbone."))
    assert all(torch.equal(after["boxes.backbone." + k], before["boxes.backbone." + k]) for k in rest)
    assert (
        f"; {len(rest)} of {len(found) + len(rest)} tensors are not in it and stay unchanged"
        in report["backbone"]
    )


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "rcnn": lambda: RCNN(RCNNConfig(CLASSES, "test_resnet", hidden=16)),
    "retinanet": lambda: RetinaNet(RetinaNetConfig(CLASSES, "test_resnet", channels=16, tower_channels=16)),
}


@pytest.mark.parametrize("model", OTHERS)
def test_other_detectors_give_their_backbone(model: str) -> None:
    state = randomized(OTHERS[model](), 4).state_dict()
    _, after, report = transferred(new_mask_rcnn(), detector=Pretrained(model, "test_resnet", state, CLASSES))
    assert same(part(state, "backbone."), part(after, "boxes.backbone."))
    for name in ("RPN", "box head", "mask head"):
        assert report[name].partition(" (")[0] == "newly initialized"


def test_retinanet_gives_its_pyramid() -> None:
    state = randomized(OTHERS["retinanet"](), 4).state_dict()
    _, after, report = transferred(
        new_mask_rcnn(), detector=Pretrained("retinanet", "test_resnet", state, CLASSES)
    )
    assert report["pyramid"] == "from retinanet"
    assert same(part(after, "boxes.fpn."), part(state, "fpn."))


# ---------------------------------------------------------------- a classifier


def test_a_classifier_gives_its_backbone() -> None:
    source = classifier()
    before, after, report = transferred(new_mask_rcnn(), classifier=source)
    assert same(part(dict(source.state), "backbone."), part(after, "boxes.backbone."))
    for rest in ("boxes.fpn.", "boxes.rpn_head.", "boxes.box_head.", "mask_head."):
        assert same(part(after, rest), part(before, rest))
    assert report == {
        "backbone": "from classifier (test_resnet)",
        "pyramid": "newly initialized",
        "RPN": "newly initialized",
        "box head": "newly initialized",
        "mask head": "newly initialized",
    }


def test_with_both_sources_only_the_backbone_comes_from_the_classifier() -> None:
    source, classifier_source = faster(), classifier()
    _, after, report = transferred(new_mask_rcnn(), detector=source, classifier=classifier_source)
    assert same(part(dict(classifier_source.state), "backbone."), part(after, "boxes.backbone."))
    for name in ("fpn.", "rpn_head.", "box_head."):
        assert same(part(dict(source.state), name), part(after, f"boxes.{name}"))
    assert report["backbone"] == "from classifier (test_resnet)"
    assert report["pyramid"] == "from faster"


@pytest.mark.parametrize("name", ["test_resnet", "tf_efficientnet_lite0"])
def test_timm_weights_are_folded_as_when_building_the_backbone(name: str) -> None:
    torch.manual_seed(5)
    network = timm.create_model(name)
    for key, tensor in network.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
    _, after, _ = transferred(
        new_mask_rcnn(backbone=name), classifier=Pretrained("timm", name, network.state_dict())
    )
    expected = Backbone(name, (8, 16, 32), network.state_dict()).state_dict()
    assert same(expected, part(after, "boxes.backbone."))


def test_a_file_with_timm_weights(tmp_path: Path) -> None:
    state = timm.create_model("test_resnet").state_dict()
    save_file(state, tmp_path / "x.safetensors")
    source = Pretrained.from_timm(tmp_path / "x.safetensors", "test_resnet")
    report = transfer_weights(new_mask_rcnn(), classifier=source)
    assert report["backbone"] == f"from {source.origin} (test_resnet)"
    assert str(tmp_path / "x.safetensors") in source.origin


def test_a_detector_can_take_the_classifiers_place() -> None:
    for source, prefix in ((faster(), "backbone."), (masked(), "boxes.backbone.")):
        _, after, report = transferred(new_mask_rcnn(), classifier=source)
        assert same(part(dict(source.state), prefix), part(after, "boxes.backbone."))
        assert report["box head"] == report["mask head"] == "newly initialized"


def test_a_faster_rcnn_can_be_initialized_too() -> None:
    new = FasterRCNN(FasterRCNNConfig(CLASSES, **SMALL))  # type: ignore[arg-type]
    source, classifier_source = faster(("fig",)), classifier()
    _, after, report = transferred(new, detector=source, classifier=classifier_source)
    assert same(part(dict(classifier_source.state), "backbone."), part(after, "backbone."))
    assert same(part(dict(source.state), "fpn."), part(after, "fpn."))
    assert len(report) == 4


def test_without_sources_nothing_changes() -> None:
    before, after, report = transferred(new_mask_rcnn())
    assert same(before, after)
    assert report["backbone"] == "unchanged"


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize("flag", ["detector", "classifier"])
def test_another_backbone_is_rejected_and_nothing_changes(flag: str) -> None:
    new = new_mask_rcnn(backbone="tf_efficientnet_lite0")
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    source = {"detector": faster()} if flag == "detector" else {"classifier": classifier()}
    with pytest.raises(WeightsError, match=rf"--{flag}: (.|\n)*has backbone test_resnet, but the new") as e:
        transfer_weights(new, **source)
    assert "--backbone test_resnet" in str(e.value)
    assert same(before, new.state_dict())


def test_another_backbone_in_one_of_two_sources_is_rejected() -> None:
    new = new_mask_rcnn()
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    with pytest.raises(WeightsError, match="--classifier"):
        transfer_weights(new, detector=faster(), classifier=classifier(backbone="tf_efficientnet_lite0"))
    assert same(before, new.state_dict())


def test_weights_of_another_network_under_the_same_name() -> None:
    state = timm.create_model("resnet18").state_dict()
    with pytest.raises(WeightsError, match="do not fit test_resnet"):
        transfer_weights(new_mask_rcnn(), classifier=Pretrained("file", "test_resnet", state))


def test_a_backbone_of_which_nothing_fits() -> None:
    """SSD cuts this one into other layers."""
    state = SSD(SSDConfig(("a",), "tf_efficientnet_lite0")).state_dict()
    strange = {key.replace("backbone.body.", "backbone.other."): tensor for key, tensor in state.items()}
    with pytest.raises(
        WeightsError, match="none of its weights fit the backbone test_resnet of the new network"
    ):
        transfer_weights(new_mask_rcnn(), detector=Pretrained("ssd", "test_resnet", strange, ("a",)))


# ---------------------------------------------------------------- runs


def test_a_runs_origin_backbone_and_classes(tmp_path: Path) -> None:
    model = FasterRCNN(FasterRCNNConfig(("fig", "Löwe"), **SMALL))  # type: ignore[arg-type]
    save_checkpoint(
        tmp_path / "best.safetensors",
        model.state_dict(),
        CheckpointMetadata("faster-rcnn", asdict(model.config)),
    )
    source = Pretrained.from_run(tmp_path)
    assert source.origin == f"the faster-rcnn of {tmp_path}"
    assert (source.backbone, source.class_names) == ("test_resnet", ("fig", "Löwe"))
    assert same(model.state_dict(), dict(source.state))


def test_a_classifiers_run(tmp_path: Path) -> None:
    model = ImageClassifier(ClassifierConfig(("a", "b"), "test_resnet"))
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, model.state_dict(), CheckpointMetadata("classifier", asdict(model.config)))
    _, after, report = transferred(new_mask_rcnn(), classifier=Pretrained.from_run(path))
    assert same(part(model.state_dict(), "backbone."), part(after, "boxes.backbone."))
    assert report["backbone"] == f"from the classifier of {path} (test_resnet)"


def test_a_missing_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
        Pretrained.from_run(tmp_path)


SEGMENTERS: dict[str, Callable[[], nn.Module]] = {
    "fcn": lambda: FCN(FCNConfig(CLASSES, "test_resnet", hidden=((16, 3),))),
    "unet": lambda: UNet(UNetConfig(CLASSES, "test_resnet", channels=(16, 16, 8, 8))),
    "deeplab-v3": lambda: DeepLabV3(DeepLabV3Config(CLASSES, "test_resnet", channels=16)),
}


@pytest.mark.parametrize("model", SEGMENTERS)
def test_segmenters_take_the_backbone_of_runs_and_timm_files(model: str) -> None:
    timms = timm.create_model("test_resnet").state_dict()
    for source in (classifier(), faster(), Pretrained("timm", "test_resnet", timms)):
        before, after, report = transferred(SEGMENTERS[model](), classifier=source)
        assert not same(part(before, "backbone.body."), part(after, "backbone.body."))
        assert report == {"backbone": f"from {source.origin} (test_resnet)"}
        rest = {key: tensor for key, tensor in before.items() if not key.startswith("backbone.")}
        assert same(rest, after)


def test_a_backbone_outside_timm_takes_no_timm_weights() -> None:
    new = UNet(UNetConfig(CLASSES, "plain", strides=(1, 2, 4, 8, 16)))
    with pytest.raises(WeightsError, match="none of its weights fit the backbone plain of the new network"):
        transfer_weights(
            new, classifier=Pretrained("timm", "plain", timm.create_model("test_resnet").state_dict())
        )
