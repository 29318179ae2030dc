"""Backbones: the maps of timm's networks, with timm's weights."""

import pytest
import timm
import torch
from torch import Tensor, nn

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.backbone import Backbone

STRIDES = (4, 8, 16, 32)
NETWORKS = (
    *("tf_efficientnet_lite0", "resnet18", "mobilenetv3_small_050"),
    *("convnext_atto", "densenet121", "resnetv2_50"),  # timm names their layers anew when it cuts them
)


def lively(name: str) -> nn.Module:
    """The whole network, with random batch norm statistics."""
    torch.manual_seed(0)
    network: nn.Module = timm.create_model(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.8, 1.2)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, std=0.1)
    return network.eval()


def trained_from(backbone: Backbone) -> list[str]:
    return [name for name, parameter in backbone.named_parameters() if parameter.requires_grad]


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_maps_equal_those_of_the_whole_network(name: str) -> None:
    network, found = lively(name), []
    backbone = Backbone(name, STRIDES, network.state_dict())
    for stride in STRIDES:
        stage = network.get_submodule(backbone.stage_ends[stride])
        stage.register_forward_hook(lambda module, given, output: found.append(output))
    pixels = torch.randn(2, 3, 64, 96)
    network(pixels)
    maps = backbone(pixels)
    assert [m.shape[1] for m in maps] == backbone.channels
    assert [(64 // m.shape[2], 96 // m.shape[3]) for m in maps] == [(s, s) for s in STRIDES]
    for ours, theirs in zip(maps, found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.slow
def test_vgg16_as_the_paper_has_it() -> None:
    """One map, conv5_3, and stages that end with a layer without weights."""
    with torch.device("meta"):
        shapes = timm.create_model("vgg16").features.state_dict()
    weights = {f"features.{name}": torch.rand(tensor.shape) / 1000 for name, tensor in shapes.items()}
    backbone = Backbone("vgg16", (16,), weights)
    assert backbone.channels == [512]
    assert torch.equal(backbone.body.state_dict()["features_28.weight"], weights["features.28.weight"])
    backbone.freeze(1)
    assert trained_from(backbone)[0] == "body.features_17.weight"
    assert trained_from(backbone)[-1] == "body.features_28.bias"


@pytest.mark.parametrize(
    ("name", "stages", "first"),
    [
        ("tf_efficientnet_lite0", 0, "body.conv_stem.weight"),
        ("tf_efficientnet_lite0", 1, "body.blocks.2.0.conv_pw.weight"),
        ("tf_efficientnet_lite0", 2, "body.blocks.3.0.conv_pw.weight"),
        ("resnet18", 1, "body.layer2.0.conv1.weight"),
        ("resnet18", 3, "body.layer4.0.conv1.weight"),
        ("convnext_atto", 1, "body.stages_1.downsample.0.weight"),
    ],
)
def test_freezing_stops_at_the_end_of_a_stage(name: str, stages: int, first: str) -> None:
    backbone = Backbone(name, STRIDES, None)
    backbone.freeze(4)
    assert trained_from(backbone) == []
    backbone.freeze(stages)
    assert trained_from(backbone)[0] == first


def test_a_missing_stage_cannot_be_frozen() -> None:
    with pytest.raises(UsageError, match="no stage 5"):
        Backbone("resnet18", STRIDES, None).freeze(5)


def test_frozen_layers_get_no_gradient() -> None:
    backbone = Backbone("resnet18", STRIDES, None)
    backbone.freeze(2)
    sum(m.sum() for m in backbone(torch.randn(1, 3, 64, 64))).backward()
    gradients = {name: parameter.grad is not None for name, parameter in backbone.named_parameters()}
    assert not gradients["body.layer2.1.conv2.weight"]
    assert gradients["body.layer3.0.conv1.weight"]


def test_mean_and_std_are_the_networks_own() -> None:
    assert Backbone("tf_efficientnet_lite0", (8,), None).mean.tolist() == [0.5, 0.5, 0.5]
    assert Backbone("resnet18", (8,), None).std.tolist() == pytest.approx([0.229, 0.224, 0.225])


def without_last_stage(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.startswith("layer4")}


def test_weights_must_fit_the_network() -> None:
    state = timm.create_model("resnet18").state_dict()
    Backbone("resnet18", (4, 8), without_last_stage(state))  # what is not read is not needed
    with pytest.raises(WeightsError, match=r"resnet18: \d+ tensors are missing, first layer4"):
        Backbone("resnet18", STRIDES, without_last_stage(state))
    with pytest.raises(WeightsError, match=r"do not fit resnet18: .*conv1\.weight"):
        Backbone("resnet18", STRIDES, {**state, "conv1.weight": torch.zeros(3, 3)})


@pytest.mark.parametrize(
    ("name", "strides", "message"),
    [
        ("resnet1", STRIDES, r"'resnet1' cannot be built by timm .*similar names:.* resnet18"),
        ("????", STRIDES, r"see timm.list_models\(\)"),
        ("resnet18", (4, 64), r"no map of stride \[64\]; it has strides \[2, 4, 8, 16, 32\]"),
        ("swin_tiny_patch4_window7_224", STRIDES, "swin.* cannot be used: .* Choose a convolutional"),
    ],
)
def test_networks_that_cannot_be_used(name: str, strides: tuple[int, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Backbone(name, strides, None)


CUT = ("tf_efficientnet_lite0", "mobilenetv3_small_050", "resnet18", "test_resnet")


@pytest.mark.parametrize("name", CUT)
@torch.no_grad()
def test_layers_behind_the_last_map_are_removed(name: str) -> None:
    """timm keeps, and runs, the blocks of some networks behind the last requested map."""
    state = lively(name).state_dict()
    whole, cut = Backbone(name, (8, 16, 32), state), Backbone(name, (16,), state)
    pixels = torch.randn(1, 3, 64, 96)
    torch.testing.assert_close(cut(pixels)[0], whole(pixels)[1], rtol=1e-4, atol=1e-5)
    numbers, all_numbers = (sum(p.numel() for p in one.parameters()) for one in (cut, whole))
    assert numbers < all_numbers
    assert unused(cut) == []


@torch.enable_grad()
def unused(backbone: Backbone) -> list[str]:
    """Parameters that its maps do not depend on."""
    sum(m.sum() for m in backbone(torch.randn(1, 3, 64, 96))).backward()
    return [name for name, parameter in backbone.named_parameters() if parameter.grad is None]


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "convnext_atto"])
@pytest.mark.parametrize("output_stride", [8, 16])
@torch.no_grad()
def test_dilated_maps_are_finer_and_use_the_same_weights(name: str, output_stride: int) -> None:
    state = lively(name).state_dict()
    plain, dilated = Backbone(name, STRIDES, state), Backbone(name, STRIDES, state, output_stride)
    maps = dilated(torch.randn(1, 3, 64, 96))
    assert [64 // m.shape[2] for m in maps] == [min(stride, output_stride) for stride in STRIDES]
    own, strided = dilated.state_dict(), plain.state_dict()
    assert set(own) == set(strided)
    assert all(torch.equal(own[key], strided[key]) for key in own)
    assert dilated.channels == plain.channels
    assert dilated.stage_ends == plain.stage_ends


@torch.no_grad()
def test_dilated_and_strided_maps_agree_where_both_have_a_pixel() -> None:
    """Equal at every second pixel away from the padding, so that pretrained weights fit."""
    state = lively("resnet18").state_dict()
    pixels = torch.randn(1, 3, 448, 448)
    (strided,), (dilated,) = (Backbone("resnet18", (16,), state, c)(pixels) for c in (32, 8))
    torch.testing.assert_close(
        dilated[..., ::2, ::2][..., 8:-8, 8:-8], strided[..., 8:-8, 8:-8], rtol=1e-3, atol=1e-4
    )


def test_dilated_stages_freeze_like_others() -> None:
    backbone = Backbone("resnet18", (16, 32), None, 8)
    backbone.freeze(2)
    assert trained_from(backbone)[0] == "body.layer3.0.conv1.weight"
    backbone.freeze(4)
    assert trained_from(backbone) == []


@pytest.mark.parametrize("name", ["densenet121", "vgg16"])
def test_networks_that_cannot_be_dilated(name: str) -> None:
    with pytest.raises(UsageError, match=f"backbone {name} has no form of output stride 8. Give --backbone"):
        Backbone(name, (32,), None, 8)


def test_other_output_strides_are_refused() -> None:
    with pytest.raises(UsageError, match="output stride 4: expected 8, 16 or 32"):
        Backbone("resnet18", (32,), None, 4)
