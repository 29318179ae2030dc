"""FCN's own parts: skips, learned upsampling, and a convolutional classifier."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.segmentation.blocks import ScoreHead
from boxmask.segmenters.fcn import FCN, PRESETS, FCNConfig, Upsample2x
from boxmask.types import SegmentationTarget

SMALL = {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96, "hidden": ((16, 3),)}
NAMES = ("a", "b", "c")


def build(**options: object) -> FCN:
    torch.manual_seed(0)
    return FCN(FCNConfig(NAMES, **{**SMALL, **options}))


def labels_of(size: tuple[int, int]) -> SegmentationTarget:
    return SegmentationTarget(
        torch.randint(0, 3, size, generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    )


@torch.no_grad()
def test_upsampling_is_initialized_to_bilinear_interpolation() -> None:
    scores = torch.randn(2, 3, 6, 5)
    expected = F.interpolate(scores, scale_factor=2, mode="bilinear")
    found = Upsample2x(3)(scores)
    assert found.shape == (2, 3, 12, 10)
    torch.testing.assert_close(
        found[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2]
    )  # the edges are padded with zeros


@pytest.mark.parametrize(
    ("finest_stride", "skip_strides"), [(32, []), (16, [16]), (8, [16, 8]), (4, [16, 8, 4])]
)
def test_scores_of_maps_down_to_the_finest_stride_are_added(
    finest_stride: int, skip_strides: list[int]
) -> None:
    segmenter = build(finest_stride=finest_stride)
    assert segmenter.skip_strides == skip_strides
    assert list(segmenter.skips) == [str(stride) for stride in skip_strides]
    assert segmenter.strides == tuple(sorted({32, *skip_strides}))
    assert segmenter(torch.zeros(1, 3, 64, 96)).shape == (1, 3, 64, 96)


@torch.no_grad()
def test_a_new_skip_starts_at_zero() -> None:
    """Section 4.2: training starts from the predictions of the coarser network."""
    fine, pixels = build(finest_stride=8), torch.randn(1, 3, 64, 64)
    before = fine(pixels)
    for skip in fine.skips.values():
        skip.weight.add_(1.0)
    assert not torch.allclose(fine(pixels), before)
    for skip in fine.skips.values():
        skip.weight.zero_()
    torch.testing.assert_close(fine(pixels), before)


def test_dilated_preset_has_no_skips_and_an_auxiliary_head() -> None:
    segmenter = build(**{**PRESETS["dilated"], **SMALL, "finest_stride": 32})
    assert [m.shape[-1] for m in segmenter.features(torch.zeros(1, 3, 64, 64)).values()] == [8, 8]
    losses = segmenter.loss([torch.zeros(3, 64, 64, dtype=torch.uint8)], [labels_of((64, 64))])
    assert set(losses) == {"pixel_class", "auxiliary_class"}
    sum(losses.values(), torch.tensor(0.0)).backward()
    assert [name for name, p in segmenter.named_parameters() if p.grad is None] == []


def test_predict_disables_dropout_and_leaves_batch_norm_statistics_alone() -> None:
    """In both modes."""
    segmenter = build(norm="batch", dropout=0.5).train()
    photo = torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8)
    segmenter.loss([photo], [labels_of((64, 96))])
    before = {name: tensor.clone() for name, tensor in segmenter.state_dict().items()}
    first, again = segmenter.predict(photo), segmenter.predict(photo)
    assert np.array_equal(first.labels, again.labels)
    assert np.array_equal(first.labels, segmenter.eval().predict(photo).labels)
    assert all(torch.equal(tensor, before[name]) for name, tensor in segmenter.state_dict().items())


def test_a_classifier_becomes_convolutional() -> None:
    """fc6 as a convolution computes the same as the linear layer over its 7x7 cells."""
    linear = nn.Linear(8 * 7 * 7, 16)
    head = ScoreHead(8, ((16, 7), (16, 1)), 3, "none")
    weights = {
        "pre_logits.fc1.weight": linear.weight.detach().reshape(16, 8, 7, 7),
        "pre_logits.fc1.bias": linear.bias.detach(),
        "pre_logits.fc2.weight": torch.eye(16).reshape(16, 16, 1, 1),
        "pre_logits.fc2.bias": torch.zeros(16),
    }
    load_vgg_classifier((head[0][0], head[1][0]), weights)
    x = torch.randn(1, 8, 7, 7)
    expected = linear(x.flatten(1)).relu()
    hidden: Tensor = head[1](head[0](x))
    torch.testing.assert_close(hidden[:, :, 3, 3], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"finest_stride": 12}, "fcn: finest_stride 12: expected 4, 8, 16 or 32"),
        ({"finest_stride": 8, "output_stride": 8}, "dilated features need no skips; set finest_stride to 32"),
        ({"norm": "layer"}, "norm 'layer': expected one of group, batch, none"),
        ({"region_loss": "x"}, "region_loss 'x'"),
        ({"tile": -3}, "tile: expected a side"),
    ],
)
def test_invalid_hyperparameters(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(**options)
