"""The losses of segmenters, term by term, against their definitions."""

import math
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.pipeline.images import Batch
from boxmask.pipeline.segmentation import losses
from boxmask.pipeline.segmentation.losses import (
    batch_labels,
    check_losses,
    cross_entropy,
    dice_loss,
    lovasz_softmax,
    resize_labels,
    segmentation_losses,
)
from boxmask.types import IGNORED, SegmentationTarget


@dataclass(frozen=True)
class Config:
    class_names: tuple[str, ...] = ("a", "b", "c")
    class_weights: tuple[float, ...] = ()
    region_loss: str = "none"
    auxiliary: float = 0.4


@pytest.fixture
def given() -> tuple[Tensor, Tensor]:
    """Logits (2, 3, 5, 7) and labels, some of them ignored."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 7, generator=generator).requires_grad_()
    labels = torch.randint(0, 3, (2, 5, 7), generator=generator).to(torch.uint8)
    labels[0, :2] = IGNORED
    return logits, labels


NOTHING = torch.full((2, 5, 7), IGNORED, dtype=torch.uint8)


def test_cross_entropy_equals_torchs(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    weights = torch.tensor([1.0, 0.0, 3.0])
    for chosen in (None, weights):
        expected = F.cross_entropy(logits, labels.long(), chosen, ignore_index=IGNORED)
        torch.testing.assert_close(cross_entropy(logits, labels, chosen), expected)


def test_a_pixel_of_weight_two_counts_like_two_pixels(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    extra = torch.zeros(labels.shape)
    extra[1] = 1
    twice = cross_entropy(torch.cat([logits, logits[1:]]), torch.cat([labels, labels[1:]]))
    torch.testing.assert_close(cross_entropy(logits, labels, None, extra), twice)


def test_extra_weights_are_added_to_class_weights() -> None:
    """U-Net, equation 2: w_c + w0 exp(...). By hand: (2 + 3) and (0.5 + 0) over their sum, 5.5."""
    logits = torch.tensor([[1.0, 0.0], [0.0, 2.0]])[None, :, None]  # two pixels, two classes
    labels = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    first, second = math.log(1 + math.exp(-1)), math.log(1 + math.exp(-2))
    found = cross_entropy(logits, labels, torch.tensor([2.0, 0.5]), torch.tensor([[[3.0, 0.0]]]))
    assert found.item() == pytest.approx((5 * first + 0.5 * second) / 5.5)


def jaccard_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """The Lovász extension by its definition, one class and one pixel at a time."""
    valid = labels != IGNORED
    scores, classes = logits.softmax(1).permute(0, 2, 3, 1)[valid], labels[valid].long()
    losses = []
    for label in classes.unique().tolist():
        mine = classes == label
        errors = torch.where(mine, 1 - scores[:, label], scores[:, label])
        wrong: list[int] = []
        before, total = 0.0, torch.tensor(0.0)
        for pixel in errors.argsort(descending=True).tolist():
            wrong.append(pixel)
            predicted = mine.clone()
            predicted[wrong] = ~predicted[wrong]  # the prediction if these pixels were wrong
            now = 1 - float((predicted & mine).sum()) / float((predicted | mine).sum())
            total = total + errors[pixel] * (now - before)
            before = now
        losses.append(total)
    return torch.stack(losses).mean()


def test_lovasz_equals_its_definition(given: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(lovasz_softmax(*given), jaccard_losses(*given))


def test_lovasz_of_certain_predictions_is_one_minus_iou() -> None:
    labels = torch.tensor([[[0, 0, 1, 1, IGNORED]]], dtype=torch.uint8)
    predicted = torch.tensor([[[0, 1, 1, 1, 0]]])
    logits = 100.0 * F.one_hot(predicted, 3).permute(0, 3, 1, 2)
    expected = 1 - (1 / 2 + 2 / 3) / 2  # the third class does not occur
    assert lovasz_softmax(logits, labels).item() == pytest.approx(expected)


def test_dice_of_certain_predictions_is_one_minus_f1() -> None:
    labels = torch.tensor([[[0, 0, 1, 1, IGNORED]]], dtype=torch.uint8)
    predicted = torch.tensor([[[0, 1, 1, 1, 0]]])
    logits = 100.0 * F.one_hot(predicted, 3).permute(0, 3, 1, 2)
    assert dice_loss(logits, labels).item() == pytest.approx(1 - (2 / 3 + 4 / 5) / 2)


def test_lovasz_sorts_at_most_max_sorted_pixels(
    given: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    logits, labels = torch.randn(1, 3, 200, 200), torch.randint(0, 3, (1, 200, 200)).to(torch.uint8)
    whole = lovasz_softmax(logits, labels)
    monkeypatch.setattr(losses, "MAX_SORTED_PIXELS", 4000)
    scores, classes = losses._labeled_pixels(logits, labels, losses.MAX_SORTED_PIXELS)
    assert len(scores) == len(classes) == 4000
    assert lovasz_softmax(logits, labels).item() == pytest.approx(whole.item(), abs=0.02)


@pytest.mark.parametrize("loss", [cross_entropy, dice_loss, lovasz_softmax])
def test_all_pixels_ignored_gives_zero_loss_and_gradient(given: tuple[Tensor, Tensor], loss: object) -> None:
    logits, _ = given
    assert callable(loss)
    found = loss(logits, NOTHING)
    assert found.item() == 0
    found.backward()
    assert logits.grad is not None
    assert not logits.grad.any()


def test_all_weights_zero_gives_zero_loss(given: tuple[Tensor, Tensor]) -> None:
    logits, _ = given
    labels = torch.ones(2, 5, 7, dtype=torch.uint8)
    assert cross_entropy(logits, labels, torch.tensor([1.0, 0.0, 1.0])).item() == 0
    assert cross_entropy(logits, labels, torch.zeros(3), torch.zeros(2, 5, 7)).item() == 0


def test_the_config_selects_the_losses(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    plain = segmentation_losses(logits, labels, Config())
    assert list(plain) == ["pixel_class"]
    weighted = segmentation_losses(logits, labels, Config(class_weights=(1, 2, 3), region_loss="dice"))
    assert weighted["pixel_class"] != plain["pixel_class"]
    assert weighted["pixel_region"] == dice_loss(logits, labels)
    lovasz = segmentation_losses(logits, labels, Config(region_loss="lovasz"))
    assert lovasz["pixel_region"] == lovasz_softmax(logits, labels)
    both = segmentation_losses(logits, labels, Config(), auxiliary_logits=logits)
    assert both["pixel_class"] == plain["pixel_class"]
    torch.testing.assert_close(both["auxiliary_class"], 0.4 * plain["pixel_class"])


def test_auxiliary_logits_are_upsampled(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    coarse = logits[:, :, ::2, ::2]
    losses_with_auxiliary = segmentation_losses(logits, labels, Config(), auxiliary_logits=coarse)
    upsampled = F.interpolate(coarse, size=labels.shape[1:], mode="bilinear")
    expected = 0.4 * cross_entropy(upsampled, labels)
    torch.testing.assert_close(losses_with_auxiliary["auxiliary_class"], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weights": (1.0, 2.0)}, r"class_weights: expected 3 weights.*found \(1.0, 2.0\)"),
        (
            {"class_weights": (1.0, -2.0, 1.0)},
            r"class_weights: expected 3 weights, one per class .*, 0 or more and not all 0",
        ),
        ({"class_weights": (0.0, 0.0, 0.0)}, "class_weights: expected 3 weights"),
        ({"region_loss": "iou"}, "region_loss 'iou': expected one of none, dice, lovasz"),
        ({"class_names": ()}, "class_names: expected 1 to 255 names, found 0"),
        ({"class_names": ("x",) * 256}, "class_names: expected 1 to 255 names, found 256"),
    ],
)
def test_invalid_configs(options: dict[str, tuple[float, ...]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_losses(replace(Config(), **options))


def test_labels_are_placed_like_their_photos() -> None:
    batch = Batch(torch.zeros(2, 3, 4, 8), sizes=[(2, 3), (4, 7)], original_sizes=[(4, 6), (4, 7)])
    small = torch.arange(24).reshape(4, 6).to(torch.uint8)
    large = torch.full((4, 7), 9, dtype=torch.uint8)
    labels = batch_labels([SegmentationTarget(small), SegmentationTarget(large)], batch, 24)
    assert labels.shape == (2, 4, 8)
    assert torch.equal(labels[0, :2, :3], small[1::2, 1::2])
    assert (labels[0, 2:] == IGNORED).all()
    assert (labels[0, :, 3:] == IGNORED).all()
    assert torch.equal(labels[1, :, :7], large)
    assert (labels[1, :, 7] == IGNORED).all()


def test_labels_are_resized_like_masks() -> None:
    from boxmask.masks import Masks

    mask = torch.rand(13, 9) > 0.5
    expected = Masks.from_dense(mask[None].numpy()).resize((7, 20)).dense()[0]
    assert torch.equal(resize_labels(mask.to(torch.uint8), (7, 20)).bool(), torch.from_numpy(expected))
