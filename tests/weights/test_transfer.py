"""Weight transfer from trained networks, part by part and class by class, and its report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from boxmask.errors import CheckpointError, WeightsError
from boxmask.models.table import MODELS, make_config, model_entry
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.model import Model
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint
from boxmask.weights.class_rows import class_rows
from boxmask.weights.parts import PARTS, part_keys, part_of
from boxmask.weights.pretrained import Pretrained
from boxmask.weights.sources import read_source
from boxmask.weights.transfer import Transfer, transfer_weights

CLASSES = ("date", "fig", "hazelnut")
BOXES: dict[str, object] = {"channels": 16, "rpn_channels": 16, "hidden": 16}
DENSE: dict[str, object] = {"channels": 16, "tower_channels": 16}
TINY: dict[str, dict[str, object]] = {
    "rcnn": {"hidden": 16, "region_size": 32, "context": 2},
    "fast-rcnn": {"hidden": 16, "pool_size": 3},
    "faster-rcnn": BOXES,
    "mask-rcnn": {**BOXES, "mask_channels": 16},
    "ssd": {"extra_layers": ((16, 3, 2, 1),) * 3},
    "retinanet": DENSE,
    "fcos": DENSE,
    "fcn": {"hidden": ((16, 3),), "auxiliary": 0.5},
    "unet": {"channels": (16, 16, 8, 8)},
    "deeplab-v3": {"channels": 16, "last_conv": True},
    "classifier": {},
}
FIRST_BOXES = ("pyramid", "RPN", "fully connected layers")  # the parts without classes of a Faster R-CNN


def new_network(model: str, names: tuple[str, ...] = CLASSES, **options: object) -> Model:
    """A tiny network with initial weights, the same on every call."""
    fields = {"backbone": "test_resnet", **TINY[model], **options}
    config = make_config(model, "default", class_names=names, **fields)
    torch.manual_seed(0)
    return model_entry(model).build(config, None)


def trained(model: str, names: tuple[str, ...] = CLASSES, seed: int = 1, **options: object) -> Pretrained:
    """A tiny network, filled with random values, so that their origin can be recognized."""
    network, generator = new_network(model, names, **options), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return Pretrained.from_model(network, model)


def transferred(
    network: Model, **sources: Pretrained
) -> tuple[dict[str, Tensor], dict[str, Tensor], Transfer]:
    """State before, state after, and the report."""
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    report = transfer_weights(network, **sources)
    return before, network.state_dict(), report


def origins(report: Transfer) -> dict[str, str]:
    return {part.part: part.origin for part in report.parts}


def details(report: Transfer) -> dict[str, str]:
    return {part.part: part.detail for part in report.parts}


def part(state: Any, prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Whether `b` holds every tensor of `a`."""
    return bool(a) and all(torch.equal(tensor, b[key]) for key, tensor in a.items())


# ---------------------------------------------------------------- the same method


@pytest.mark.parametrize("model", MODELS)
def test_a_network_of_the_same_classes_gives_everything(model: str) -> None:
    source = trained(model)
    _, after, report = transferred(new_network(model), source=source)
    assert same(dict(source.state), after)
    assert set(origins(report).values()) == {model}
    assert report.is_complete
    assert (report.head_share, report.known_classes, report.new_classes) == (1.0, CLASSES, ())


@pytest.mark.parametrize(
    "names", [("hazelnut", "date", "fig"), ("walnut", *CLASSES), ("fig",), ("walnut", "fig")]
)
@pytest.mark.parametrize("model", MODELS)
def test_rows_are_matched_by_class_name(model: str, names: tuple[str, ...]) -> None:
    """Classes in another order, one more, fewer, and others."""
    source, network = trained(model), new_network(model, names)
    before, after, report = transferred(network, source=source)
    names_of = part_keys(model, asdict(network.config), after)
    for key, tensor in after.items():
        rows = class_rows(names_of[key])
        if rows is None and names_of[key] != "svms.fitted":
            assert torch.equal(tensor, source.state[key]), key
        elif rows is not None and not rows.square:
            _check_rows(before[key], tensor, source.state[key], names, rows.each, rows.background)
    assert report.known_classes == tuple(name for name in names if name in CLASSES)
    assert report.new_classes == tuple(name for name in names if name not in CLASSES)
    assert report.is_complete == (not report.new_classes)
    known = f"{len(report.known_classes)} of {len(names)} classes"
    assert details(report)["class scores"].startswith(known)


def _check_rows(
    before: Tensor, after: Tensor, source: Tensor, names: tuple[str, ...], each: int, background: bool
) -> None:
    """The rows of each class are those of the source, or the initial ones."""
    ours, theirs = [*names, *[""] * background], [*CLASSES, *[""] * background]
    anchors = len(source) // (each * len(theirs))
    shape = (anchors, len(ours), each)
    before, after = before.unflatten(0, shape), after.unflatten(0, shape)
    source = source.unflatten(0, (anchors, len(theirs), each))
    for row, name in enumerate(ours):
        expected = source[:, theirs.index(name)] if name in theirs else before[:, row]
        assert torch.equal(after[:, row], expected), name


def test_the_upsampling_of_scores_keeps_pairs_of_known_classes() -> None:
    source = trained("fcn")
    before, after, _ = transferred(new_network("fcn", ("fig", "walnut", "date")), source=source)
    for key in part(after, "upsamples."):
        ours, theirs = after[f"upsamples.{key}"], source.state[f"upsamples.{key}"]
        assert torch.equal(ours[0, 2], theirs[1, 0])
        assert torch.equal(ours[2, 2], theirs[0, 0])
        assert torch.equal(ours[1], before[f"upsamples.{key}"][1])


def test_svms_are_fitted_for_all_classes_or_for_none() -> None:
    source = trained("rcnn")
    fitted = Pretrained(
        "rcnn", "test_resnet", {**source.state, "fitted": torch.tensor(True)}, "rcnn", source.config
    )
    for names, expected in ((("fig", "date"), True), (("fig", "walnut"), False)):
        _, after, _ = transferred(new_network("rcnn", names), source=fitted)
        assert bool(after["fitted"]) == expected


@pytest.mark.parametrize("model", ["faster-rcnn", "ssd", "retinanet", "fcos"])
def test_predictions_stay_the_same_when_classes_change_places(model: str) -> None:
    source = trained(model, seed=2)
    theirs = new_network(model, score_threshold=0.0)
    theirs.load_state_dict(source.state)
    ours = new_network(model, ("hazelnut", "date", "fig"), score_threshold=0.0)
    transfer_weights(ours, source=source)
    photo = torch.randint(0, 256, (3, 90, 120), dtype=torch.uint8)
    before, after = (network.eval().predict(photo) for network in (theirs, ours))  # type: ignore[operator]
    assert np.allclose(before.scores, after.scores, atol=1e-5)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9"), (" fig", "fig")]
)
def test_classes_are_matched_in_any_unicode_form(theirs: str, ours: str) -> None:
    source = trained("faster-rcnn", (theirs, "date", "walnut"))
    _, after, report = transferred(new_network("faster-rcnn", ("date", ours, "plum")), source=source)
    assert torch.equal(after["box_head.logits.weight"][:2], source.state["box_head.logits.weight"][[1, 0]])
    assert report.new_classes == ("plum",)


def test_torchvisions_background_is_ours() -> None:
    source = trained("fcn", ("__background__", "cat"))
    _, _, report = transferred(new_network("fcn", ("background", "cat")), source=source)
    assert report.is_complete


# ---------------------------------------------------------------- other methods


def test_a_faster_rcnn_gives_a_mask_rcnn_all_but_the_mask_head() -> None:
    source = trained("faster-rcnn")
    before, after, report = transferred(new_network("mask-rcnn"), source=source)
    assert same(part(after, "boxes."), dict(source.state))
    assert same(part(after, "mask_head."), part(before, "mask_head."))
    assert (origins(report)["mask head"], details(report)["mask head"]) == ("", "not in faster-rcnn")
    assert not report.is_complete
    assert 0.5 < report.head_share < 1


def test_a_mask_rcnn_gives_a_faster_rcnn_everything() -> None:
    source = trained("mask-rcnn")
    _, after, report = transferred(new_network("faster-rcnn"), source=source)
    assert same(after, part(source.state, "boxes."))
    assert report.is_complete


@pytest.mark.parametrize(("theirs", "ours"), [("retinanet", "fcos"), ("fcos", "retinanet")])
def test_one_stage_detectors_share_pyramid_and_towers(theirs: str, ours: str) -> None:
    source = trained(theirs)
    before, after, report = transferred(new_network(ours), source=source)
    towers = {"retinanet": "box_head.tower.", "fcos": "box_tower."}
    assert same(part(after, towers[ours]), part(source.state, towers[theirs]))
    for prefix in ("class_head.tower.", "fpn.lateral.", "fpn.output."):
        assert same(part(after, prefix), part(source.state, prefix))
    assert same(part(after, "class_head.last."), part(before, "class_head.last."))
    assert report.known_classes == ()


@pytest.mark.parametrize("model", ["faster-rcnn", "retinanet", "unet"])
@pytest.mark.parametrize("source_model", ["rcnn", "ssd", "fcn", "classifier"])
def test_other_networks_give_their_backbone(source_model: str, model: str) -> None:
    source = trained(source_model)
    _, after, report = transferred(new_network(model), source=source)
    shared = part(after, "backbone.").keys() & part(source.state, "backbone.").keys()
    assert shared
    assert all(torch.equal(after[f"backbone.{key}"], source.state[f"backbone.{key}"]) for key in shared)
    assert [name for name, origin in origins(report).items() if origin] == ["backbone"]
    assert report.head_share == 0


# ---------------------------------------------------------------- parts that do not fit


def test_parts_that_do_not_fit_are_new_and_the_report_says_why() -> None:
    source = trained("faster-rcnn", channels=24, hidden=8)
    before, after, report = transferred(new_network("faster-rcnn"), source=source)
    for prefix in ("fpn.", "rpn_head.", "box_head."):
        assert same(part(after, prefix), part(before, prefix))
    assert origins(report)["backbone"] == "faster-rcnn"
    shapes = "lateral.stride 8.weight has shape (24, 48, 1, 1) there, (16, 48, 1, 1) here"
    assert details(report)["pyramid"] == shapes
    assert details(report)["RPN"] == "it reads the new pyramid"
    assert details(report)["class scores"] == "it reads the new fully connected layers"
    assert report.known_classes == ()


def test_another_number_of_anchors_rules_out_the_rpn_alone() -> None:
    source = trained("faster-rcnn", anchor_sizes=((16,), (32,), (64,), (128,)))
    _, _, report = transferred(new_network("faster-rcnn"), source=source)
    assert [name for name, origin in origins(report).items() if not origin] == ["RPN"]


def test_other_levels_are_told_apart_by_their_strides() -> None:
    """The first level of one pyramid is not the first of another, even where its shape is the same."""
    source = trained("faster-rcnn", strides=(4, 8, 16, 32), anchor_sizes=((8, 12),) * 5)
    _, after, report = transferred(new_network("faster-rcnn"), source=source)
    assert torch.equal(after["fpn.lateral.0.weight"], source.state["fpn.lateral.1.weight"])
    assert origins(report)["pyramid"] == "faster-rcnn"
    _, _, report = transferred(
        new_network("faster-rcnn", strides=(4, 8, 16, 32), anchor_sizes=((8, 12),) * 5),
        source=trained("faster-rcnn"),
    )
    assert details(report)["pyramid"] == "lateral.stride 4.weight is missing there"


def test_a_mask_head_for_all_classes_at_once_fits_its_like_alone() -> None:
    def with_one_mask(network: Model) -> Model:
        network.mask_head.logits = nn.Conv2d(16, 1, 1)
        return network

    one = Pretrained.from_model(with_one_mask(new_network("mask-rcnn", ("fig", "walnut"))), "one")
    _, after, report = transferred(with_one_mask(new_network("mask-rcnn")), source=one)
    assert same(part(after, "mask_head."), part(one.state, "mask_head."))
    before, after, report = transferred(new_network("mask-rcnn"), source=one)
    assert same(part(after, "mask_head."), part(before, "mask_head."))
    assert details(report)["mask head"].startswith("logits.weight has shape (1, 16, 1, 1) there")


def test_a_backbone_with_fewer_stages_gives_those() -> None:
    source = trained("faster-rcnn", strides=(8, 16), anchor_sizes=((8, 12),) * 3)
    before, after, report = transferred(new_network("mask-rcnn"), source=source)
    found, ours = part(source.state, "backbone."), part(after, "boxes.backbone.")
    rest = ours.keys() - found.keys()
    assert same(found, ours)
    assert all(torch.equal(ours[key], before[f"boxes.backbone.{key}"]) for key in rest)
    assert (
        f"; {len(rest)} of {len(ours)} tensors are not in it and stay unchanged"
        in details(report)["backbone"]
    )


# ---------------------------------------------------------------- a backbone of its own


def test_with_both_sources_only_the_backbone_comes_from_the_classifier() -> None:
    source, classifier = trained("faster-rcnn"), trained("classifier", seed=2)
    _, after, report = transferred(new_network("mask-rcnn"), source=source, backbone_source=classifier)
    assert same(part(classifier.state, "backbone."), part(after, "boxes.backbone."))
    for name in ("fpn.", "rpn_head.", "box_head."):
        assert same(part(source.state, name), part(after, f"boxes.{name}"))
    assert origins(report)["backbone"] == "classifier"
    assert all(origins(report)[name] == "faster-rcnn" for name in FIRST_BOXES)


def test_heads_of_another_backbone_are_no_complete_start() -> None:
    """The heads were trained with other features."""
    _, _, report = transferred(
        new_network("faster-rcnn"), source=trained("faster-rcnn"), backbone_source=trained("classifier")
    )
    assert "" not in origins(report).values()
    assert not report.is_complete


@pytest.mark.parametrize("model", ["faster-rcnn", "mask-rcnn", "classifier"])
def test_any_network_can_give_the_backbone_alone(model: str) -> None:
    source = trained(model)
    before, after, report = transferred(new_network("mask-rcnn"), backbone_source=source)
    prefix = "boxes.backbone." if model == "mask-rcnn" else "backbone."
    assert same(part(source.state, prefix), part(after, "boxes.backbone."))
    for rest in ("boxes.fpn.", "boxes.rpn_head.", "boxes.box_head.", "mask_head."):
        assert same(part(after, rest), part(before, rest))
    assert [name for name, origin in origins(report).items() if origin] == ["backbone"]


@pytest.mark.parametrize("name", ["test_resnet", "tf_efficientnet_lite0"])
def test_timm_weights_are_folded_as_when_building_the_backbone(name: str) -> None:
    torch.manual_seed(5)
    network = timm.create_model(name)
    for key, tensor in network.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
    source = Pretrained("timm", name, network.state_dict())
    _, after, _ = transferred(new_network("mask-rcnn", backbone=name), source=source)
    expected = Backbone(name, (8, 16, 32), network.state_dict()).state_dict()
    assert same(expected, part(after, "boxes.backbone."))


def test_a_file_with_timm_weights(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), file)
    source = read_source(str(file), "test_resnet")
    assert origins(transfer_weights(new_network("unet"), backbone_source=source))["backbone"] == str(file)


def test_without_sources_nothing_changes() -> None:
    before, after, report = transferred(new_network("mask-rcnn"))
    assert same(before, after)
    assert details(report)["backbone"] == "unchanged"
    assert not any(origins(report).values())


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize("kind", ["source", "backbone_source"])
def test_another_backbone_is_rejected_and_nothing_changes(kind: str) -> None:
    new = new_network("mask-rcnn", backbone="tf_efficientnet_lite0")
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    with pytest.raises(WeightsError, match="faster-rcnn has backbone test_resnet, but the new") as error:
        transfer_weights(new, **{kind: trained("faster-rcnn")})
    assert "--backbone test_resnet" in str(error.value)
    assert same(before, new.state_dict())


def test_weights_of_another_network_under_the_same_name() -> None:
    state = timm.create_model("resnet18").state_dict()
    with pytest.raises(WeightsError, match="do not fit test_resnet"):
        transfer_weights(new_network("mask-rcnn"), backbone_source=Pretrained("file", "test_resnet", state))


def test_a_backbone_of_which_nothing_fits() -> None:
    source = trained("ssd")
    state = {key.replace("backbone.body.", "backbone.other."): tensor for key, tensor in source.state.items()}
    strange = Pretrained("ssd", "test_resnet", state, "ssd", source.config)
    with pytest.raises(
        WeightsError, match="none of its weights fit the backbone test_resnet of the new network"
    ):
        transfer_weights(new_network("mask-rcnn"), source=strange)


def test_a_backbone_outside_timm_takes_no_timm_weights() -> None:
    new = new_network("unet", backbone="plain", strides=(1, 2, 4, 8, 16))
    state = timm.create_model("test_resnet").state_dict()
    with pytest.raises(WeightsError, match="none of its weights fit the backbone plain of the new network"):
        transfer_weights(new, backbone_source=Pretrained("timm", "plain", state))


# ---------------------------------------------------------------- runs


def test_a_runs_origin_backbone_and_classes(tmp_path: Path) -> None:
    model = new_network("faster-rcnn", ("fig", "Löwe"))
    metadata = CheckpointMetadata("faster-rcnn", asdict(model.config))
    save_checkpoint(tmp_path / "best.safetensors", model.state_dict(), metadata)
    source = Pretrained.from_run(tmp_path)
    assert (source.origin, source.model, source.config) == (str(tmp_path), "faster-rcnn", model.config)
    assert (source.backbone, source.class_names) == ("test_resnet", ("fig", "Löwe"))
    assert same(model.state_dict(), dict(source.state))


def test_a_missing_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
        Pretrained.from_run(tmp_path)


def test_a_run_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    save_checkpoint(path, {"x": torch.zeros(1)}, CheckpointMetadata("classifier", {"class_names": ["a"]}))
    with pytest.raises(CheckpointError, match="does not fit this version of boxmask"):
        Pretrained.from_run(path)


# ---------------------------------------------------------------- names of tensors


@pytest.mark.parametrize("model", MODELS)
def test_every_tensor_has_a_name_of_its_own(model: str) -> None:
    network = new_network(model)
    names = part_keys(model, asdict(network.config), network.state_dict())
    assert names.keys() == network.state_dict().keys()
    assert len(set(names.values())) == len(names)
    assert {part_of(name) for name in names.values()} <= PARTS.keys()
