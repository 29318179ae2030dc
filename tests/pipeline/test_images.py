"""From photos of any size to one batch."""

import pytest
import torch
from torch import Tensor
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from boxmask.pipeline.images import Preparation, prepare, resized_size
from boxmask.types import Target

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = [(60, 97), (131, 83), (48, 48), (20, 90)]


def photos(sizes: list[tuple[int, int]]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(3, *size, generator=generator) for size in sizes]


def test_equal_to_torchvision() -> None:
    images = photos(SIZES)
    theirs, _ = GeneralizedRCNNTransform(64, 100, list(MEAN), list(STD)).eval()(images)
    batch = prepare(images, Preparation(64, 100, MEAN, STD, antialias=False))
    assert batch.sizes == theirs.image_sizes
    assert batch.original_sizes == SIZES
    torch.testing.assert_close(batch.pixels, theirs.tensors)


def test_sizes_equal_torchvisions_for_every_side() -> None:
    """Its rule rounds down, so that some sides come out one pixel short."""
    for side in range(5, 400, 7):
        image = torch.zeros(3, side, 230)
        theirs, _ = GeneralizedRCNNTransform(94, 160, list(MEAN), list(STD)).eval()([image])
        assert resized_size((side, 230), 94, 160) == theirs.image_sizes[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (3000, 4000), (96, 160)])
def test_no_side_vanishes_or_exceeds_the_longer(size: tuple[int, int]) -> None:
    height, width = resized_size(size, 96, 160)
    assert 1 <= height <= 160
    assert 1 <= width <= 160
    assert min(height, width) <= 96


@pytest.mark.parametrize("antialias", [True, False])
def test_bytes_and_floats_agree(antialias: bool) -> None:
    images = [(image * 255).round().to(torch.uint8) for image in photos(SIZES)]
    how = Preparation(40, 64, MEAN, STD, antialias=antialias)
    of_bytes = prepare(images, how)
    of_floats = prepare([image / 255 for image in images], how)
    assert of_bytes.sizes == of_floats.sizes
    assert of_bytes.pixels.dtype == torch.float32
    assert (of_bytes.pixels - of_floats.pixels).abs().max() <= 1.01 / 255 / min(STD)  # bytes are rounded


def test_padding_is_zero_and_at_the_right_and_the_bottom() -> None:
    batch = prepare([image + 1 for image in photos([(64, 40), (40, 64)])], Preparation(40, 64, MEAN, STD))
    assert batch.pixels.shape == (2, 3, 64, 64)
    assert batch.sizes == [(64, 40), (40, 64)]
    assert (batch.pixels[0, :, :, 40:] == 0).all()
    assert (batch.pixels[1, :, 40:] == 0).all()
    assert (batch.pixels[0, :, :, :40] != 0).all()


def test_padded_to_a_multiple_and_channels_last() -> None:
    batch = prepare(photos([(50, 50)]), Preparation(50, 80, MEAN, STD, multiple_of=16))
    assert batch.pixels.shape == (1, 3, 64, 64)
    assert batch.pixels.is_contiguous(memory_format=torch.channels_last)


def test_a_photo_of_the_right_size_keeps_its_values() -> None:
    image = torch.randint(0, 256, (3, 32, 64), dtype=torch.uint8)
    batch = prepare([image], Preparation(32, 64, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)))
    torch.testing.assert_close(batch.pixels[0], image / 127.5 - 1)


def test_labels_follow_the_photo() -> None:
    """Each side by its own factor, as both are rounded; class and ignore stay."""
    batch = prepare(photos([(20, 90)]), Preparation(64, 100, MEAN, STD))
    target = Target.of([[9, 2, 90, 20]], [3], [True])
    (moved,) = batch.rescale([target])
    height, width = batch.sizes[0]
    torch.testing.assert_close(moved.boxes, torch.tensor([[width / 10, height / 10, width, height]]))
    assert moved.labels.tolist() == [3]
    assert moved.ignore.tolist() == [True]


def test_preparations_with_tensors_can_be_compared() -> None:
    preparation = Preparation(32, 64, torch.tensor(MEAN), torch.tensor(STD))
    assert preparation == preparation
    assert preparation != Preparation(32, 64, torch.tensor(MEAN), torch.tensor(STD))
