"""The losses of segmenters against their definitions, term by term."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.errors import UsageError
from boxmask.pipeline.images import Batch
from boxmask.pipeline.segmentation import losses as pixel_loss
from boxmask.pipeline.segmentation.losses import (
    auxiliary_loss,
    check_losses,
    cross_entropy,
    dice_loss,
    labels_of_batch,
    lovasz_softmax,
    pixel_losses,
    resized,
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
    """Logits (2, 3, 5, 7) and labels, some of which do not count."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 7, generator=generator).requires_grad_()
    labels = torch.randint(0, 3, (2, 5, 7), generator=generator).to(torch.uint8)
    labels[0, :2] = IGNORED
    return logits, labels


NOTHING = torch.full((2, 5, 7), IGNORED, dtype=torch.uint8)


def test_cross_entropy_is_torchs(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    weights = torch.tensor([1.0, 0.0, 3.0])
    for chosen in (None, weights):
        expected = F.cross_entropy(logits, labels.long(), chosen, ignore_index=IGNORED)
        torch.testing.assert_close(cross_entropy(logits, labels, chosen), expected)


def test_a_pixel_of_weight_two_counts_like_two_pixels(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    weights = torch.ones(labels.shape)
    weights[1] = 2
    twice = cross_entropy(torch.cat([logits, logits[1:]]), torch.cat([labels, labels[1:]]))
    torch.testing.assert_close(cross_entropy(logits, labels, None, weights), twice)


def jaccard_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """The Lovász extension by its definition, a class and a pixel at a time."""
    counted = labels != IGNORED
    scores, answers = logits.softmax(1).permute(0, 2, 3, 1)[counted], labels[counted].long()
    losses = []
    for label in answers.unique().tolist():
        mine = answers == label
        errors = torch.where(mine, 1 - scores[:, label], scores[:, label])
        wrong: list[int] = []
        before, total = 0.0, torch.tensor(0.0)
        for pixel in errors.argsort(descending=True).tolist():
            wrong.append(pixel)
            told = mine.clone()
            told[wrong] = ~told[wrong]  # what would be said if these were wrong
            now = 1 - float((told & mine).sum()) / float((told | mine).sum())
            total = total + errors[pixel] * (now - before)
            before = now
        losses.append(total)
    return torch.stack(losses).mean()


def test_lovasz_is_its_definition(given: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(lovasz_softmax(*given), jaccard_losses(*given))


def test_of_certain_answers_lovasz_is_one_minus_iou() -> None:
    labels = torch.tensor([[[0, 0, 1, 1, IGNORED]]], dtype=torch.uint8)
    told = torch.tensor([[[0, 1, 1, 1, 0]]])
    logits = 100.0 * F.one_hot(told, 3).permute(0, 3, 1, 2)
    expected = 1 - (1 / 2 + 2 / 3) / 2  # the third class does not occur
    assert lovasz_softmax(logits, labels).item() == pytest.approx(expected)


def test_of_certain_answers_dice_is_one_minus_f1() -> None:
    labels = torch.tensor([[[0, 0, 1, 1, IGNORED]]], dtype=torch.uint8)
    told = torch.tensor([[[0, 1, 1, 1, 0]]])
    logits = 100.0 * F.one_hot(told, 3).permute(0, 3, 1, 2)
    assert dice_loss(logits, labels).item() == pytest.approx(1 - (2 / 3 + 4 / 5) / 2)


def test_lovasz_sorts_no_more_than_it_says(
    given: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    logits, labels = torch.randn(1, 3, 200, 200), torch.randint(0, 3, (1, 200, 200)).to(torch.uint8)
    whole = lovasz_softmax(logits, labels)
    monkeypatch.setattr(pixel_loss, "SORTED_PIXELS", 4000)
    scores, answers = pixel_loss._counted(logits, labels, pixel_loss.SORTED_PIXELS)
    assert len(scores) == len(answers) == 4000
    assert lovasz_softmax(logits, labels).item() == pytest.approx(whole.item(), abs=0.02)


@pytest.mark.parametrize("loss", [cross_entropy, dice_loss, lovasz_softmax])
def test_without_a_pixel_that_counts(given: tuple[Tensor, Tensor], loss: object) -> None:
    logits, _ = given
    assert callable(loss)
    found = loss(logits, NOTHING)
    assert found.item() == 0
    found.backward()
    assert logits.grad is not None
    assert not logits.grad.any()


def test_weights_that_leave_nothing_over(given: tuple[Tensor, Tensor]) -> None:
    logits, _ = given
    labels = torch.ones(2, 5, 7, dtype=torch.uint8)
    assert cross_entropy(logits, labels, torch.tensor([1.0, 0.0, 1.0])).item() == 0
    assert cross_entropy(logits, labels, None, torch.zeros(2, 5, 7)).item() == 0


def test_the_config_chooses(given: tuple[Tensor, Tensor]) -> None:
    logits, labels = given
    plain = pixel_losses(logits, labels, Config())
    assert list(plain) == ["pixel_class"]
    weighted = pixel_losses(logits, labels, Config(class_weights=(1, 2, 3), region_loss="dice"))
    assert weighted["pixel_class"] != plain["pixel_class"]
    assert weighted["pixel_region"] == dice_loss(logits, labels)
    lovasz = pixel_losses(logits, labels, Config(region_loss="lovasz"))
    assert lovasz["pixel_region"] == lovasz_softmax(logits, labels)
    second = auxiliary_loss(logits, labels, Config())["auxiliary_class"]
    torch.testing.assert_close(second, 0.4 * plain["pixel_class"])


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"class_weights": (1.0, 2.0)}, r"class_weights: expected 3 numbers.*found \(1.0, 2.0\)"),
        ({"class_weights": (1.0, -2.0, 1.0)}, "class_weights: expected 3 numbers, none below zero"),
        ({"class_weights": (0.0, 0.0, 0.0)}, "class_weights: expected 3 numbers"),
        ({"region_loss": "iou"}, "region_loss 'iou': expected one of none, dice, lovasz"),
        ({"class_names": ()}, "class_names: expected 1 to 255 of them, found 0"),
        ({"class_names": ("x",) * 256}, "class_names: expected 1 to 255 of them, found 256"),
    ],
)
def test_configs_that_cannot_be_meant(numbers: dict[str, tuple[float, ...]], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_losses(replace(Config(), **numbers))


def test_labels_lie_where_their_photos_do() -> None:
    batch = Batch(torch.zeros(2, 3, 4, 8), sizes=[(2, 3), (4, 7)], original_sizes=[(4, 6), (4, 7)])
    small = torch.arange(24).reshape(4, 6).to(torch.uint8)
    large = torch.full((4, 7), 9, dtype=torch.uint8)
    labels = labels_of_batch([SegmentationTarget(small), SegmentationTarget(large)], batch, 24)
    assert labels.shape == (2, 4, 8)
    assert torch.equal(labels[0, :2, :3], small[1::2, 1::2])
    assert (labels[0, 2:] == IGNORED).all()
    assert (labels[0, :, 3:] == IGNORED).all()
    assert torch.equal(labels[1, :, :7], large)
    assert (labels[1, :, 7] == IGNORED).all()


def test_labels_are_resized_as_outlines_are() -> None:
    from boxmask.masks import Masks

    mask = torch.rand(13, 9) > 0.5
    expected = Masks.from_dense(mask[None].numpy()).resize((7, 20)).dense()[0]
    assert torch.equal(resized(mask.to(torch.uint8), (7, 20)).bool(), torch.from_numpy(expected))
