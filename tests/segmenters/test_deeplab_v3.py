"""DeepLabv3's own parts: output strides, atrous rates and image pooling."""

import pytest
import torch

from boxmask.errors import UsageError
from boxmask.segmenters.deeplab_v3 import ASPP, DeepLabV3, DeepLabV3Config
from boxmask.types import SegmentationTarget

NAMES = ("a", "b", "c")
SMALL = {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96, "channels": 16}


def build(**options: object) -> DeepLabV3:
    torch.manual_seed(0)
    return DeepLabV3(DeepLabV3Config(NAMES, **{**SMALL, **options}))


@pytest.mark.parametrize(("output_stride", "atrous_rates"), [(8, [12, 24, 36]), (16, [6, 12, 18])])
def test_the_last_map_has_the_output_stride_and_matching_rates(
    output_stride: int, atrous_rates: list[int]
) -> None:
    segmenter = build(output_stride=output_stride)
    (last,) = segmenter.features(torch.zeros(1, 3, 64, 96))
    assert last.shape[-2:] == (64 // output_stride, 96 // output_stride)
    assert [branch[0].dilation[0] for branch in segmenter.aspp.branches] == [1, *atrous_rates]
    assert segmenter(torch.zeros(1, 3, 64, 96)).shape == (1, 3, 64, 96)


@torch.no_grad()
def test_every_cell_depends_on_the_whole_photo() -> None:
    """Through image pooling, a cell depends on pixels outside every kernel."""
    aspp = ASPP(4, 16, (2,), "none").eval()
    x = torch.randn(1, 4, 40, 40)
    far = x.clone()
    far[..., 30:, 30:] += 10
    assert not torch.allclose(aspp(x)[..., :5, :5], aspp(far)[..., :5, :5])
    aspp.image_pooling[0].weight.zero_()
    torch.testing.assert_close(aspp(x)[..., :5, :5], aspp(far)[..., :5, :5])


def test_batch_norm_can_train_on_one_photo() -> None:
    """The pooled map of one photo has one value per channel, which torch's batch norm refuses."""
    segmenter = build(norm="batch").train()
    labels = torch.randint(0, 3, (64, 64)).to(torch.uint8)
    losses = segmenter.loss(
        [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)], [SegmentationTarget(labels)]
    )
    losses["pixel_class"].backward()
    weight = segmenter.aspp.image_pooling[0].weight
    assert weight.grad is not None
    assert weight.grad.any()


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_v3_large"])
def test_the_auxiliary_head_reads_the_map_before_the_last(backbone: str) -> None:
    segmenter = build(auxiliary=0.4, backbone=backbone)
    segmenter.freeze(1)
    labels = SegmentationTarget(torch.zeros(64, 64, dtype=torch.uint8))
    losses = segmenter.loss([torch.zeros(3, 64, 64, dtype=torch.uint8)], [labels])
    assert set(losses) == {"pixel_class", "auxiliary_class"}
    sum(losses.values(), torch.tensor(0.0)).backward()
    trained = [(name, p) for name, p in segmenter.named_parameters() if p.requires_grad]
    assert [name for name, p in trained if p.grad is None] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_stride": 4}, "output_stride 4 with backbone resnet18: expected 8, 16 or 32"),
        ({"output_stride": 8, "backbone": "mobilenet_v3_large"}, "mobilenet_v3_large: expected 16"),
        ({"backbone": "densenet121"}, "backbone densenet121 has no form of output stride 16"),
        ({"atrous_rates": (1, 2)}, "atrous_rates: expected rates of 2 or more"),
        ({"channels": 0}, "channels: expected 1 or more, found 0"),
        ({"atrous_rates": ()}, "atrous_rates: expected rates"),
    ],
)
def test_invalid_hyperparameters(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(**options)
