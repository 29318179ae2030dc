"""U-Net's own parts: the plain contracting path, learned upsampling, and weights at borders."""

import math

import pytest
import torch
from torch import nn

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features import contracting_path
from boxmask.pipeline.features.contracting_path import ContractingPath
from boxmask.segmenters.unet import PRESETS, UNet, UNetConfig, border_weights, borders
from boxmask.types import IGNORED, SegmentationTarget

NAMES = ("a", "b", "c")
SMALL = {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96, "channels": (32, 16, 16, 16)}


def build(**options: object) -> UNet:
    torch.manual_seed(0)
    return UNet(UNetConfig(NAMES, **{**SMALL, **options}))


def test_the_papers_network_has_its_layers_and_channels() -> None:
    """Figure 1: 23 convolutional layers, 64 to 1024 channels and back. Built on the meta device."""
    with torch.device("meta"):
        network = UNet(UNetConfig(NAMES, **PRESETS["paper"]))
    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convs) == 23
    assert network.backbone.channels == [64, 128, 256, 512, 1024]
    assert [conv.in_channels for conv in convs if isinstance(conv, nn.ConvTranspose2d)] == [
        1024,
        512,
        256,
        128,
    ]
    assert [block.convs[0][0].in_channels for block in network.up_blocks] == [1024, 512, 256, 128]
    assert network.logits.in_channels == 64


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> UNet:
    """The paper's network with a sixteenth of its channels."""
    monkeypatch.setattr(contracting_path, "CHANNELS", (4, 8, 16, 32, 64))
    options = {**PRESETS["paper"], "channels": (32, 16, 8, 4), "tile": 48, "shorter_side": 48}
    return build(**options)


def test_the_papers_network_learns_and_predicts(narrow: UNet) -> None:
    photo = torch.randint(0, 256, (3, 61, 90), dtype=torch.uint8)
    labels = torch.randint(0, 3, (61, 90)).to(torch.uint8)
    losses = narrow.loss([photo], [SegmentationTarget(labels)])
    losses["pixel_class"].backward()
    assert [name for name, p in narrow.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert narrow.predict(photo).size == (61, 90)
    assert narrow(torch.zeros(1, 3, 37, 50)).shape == (1, 3, 37, 50)  # maps of odd sizes are resized to match


def test_the_contracting_path_freezes_its_first_stages(narrow: UNet) -> None:
    narrow.freeze(1)
    trained = [name for name, p in narrow.backbone.named_parameters() if p.requires_grad]
    assert trained[0] == "stages.3.0.0.weight"
    narrow.freeze(0)
    assert all(p.requires_grad for p in narrow.parameters())
    with pytest.raises(UsageError, match="no stage 4 to freeze; it has 1 to 3"):
        narrow.freeze(4)


def test_the_contracting_path_has_no_pretrained_weights() -> None:
    with pytest.raises(WeightsError, match=r"backbone plain has no pretrained weights\. Use --weights none"):
        ContractingPath("none", {"x": torch.zeros(1)})


def test_backbones_without_a_map_of_stride_2() -> None:
    segmenter = build(backbone="convnext_atto", strides=(4, 8, 16, 32), channels=(32, 16, 16))
    assert segmenter(torch.zeros(1, 3, 64, 96)).shape == (1, 3, 64, 96)


def test_borders_lie_between_classes_only() -> None:
    labels = torch.tensor(
        [[[0, 0, 1, 1, IGNORED, 2], [0, 0, 0, 1, IGNORED, 2], [0, 0, 0, 0, IGNORED, 2]]], dtype=torch.uint8
    )
    expected = [[0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 0, 0]]
    assert borders(labels)[0].int().tolist() == expected


def test_pixels_at_borders_count_more() -> None:
    labels = torch.zeros(2, 3, 40, dtype=torch.uint8)
    labels[0, :, 20:] = 1
    weights = border_weights(labels, 10.0, 5.0)
    assert weights[0, 0, 19] == weights[0, 0, 20] == 10
    assert weights[0, 1, 25].item() == pytest.approx(10 * math.exp(-25 / 50))
    assert weights[0, 1, 0].item() == pytest.approx(0, abs=0.01)
    assert (weights[1] == 0).all()  # an image of one class has no border


def test_border_weights_change_the_loss() -> None:
    photo = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    labels = torch.zeros(64, 64, dtype=torch.uint8)
    labels[:, 40:] = 1
    plain, weighted = (
        build(border_weight=w).loss([photo], [SegmentationTarget(labels)])["pixel_class"] for w in (0.0, 10.0)
    )
    assert plain != weighted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"channels": (16, 16)},
            r"channels: expected one value per map except the coarsest \(4\), found \(16, 16\)",
        ),
        ({"backbone": "plain"}, r"strides: backbone plain has \(1, 2, 4, 8, 16\), found"),
        ({"border_weight": -1.0}, "border_weight and border_sigma: expected 0 or more and above 0"),
        ({"border_sigma": 0.0}, "border_weight and border_sigma: expected 0 or more and above 0"),
    ],
)
def test_invalid_hyperparameters(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(**options)
