"""From logits to the class of every pixel."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.images import Preparation
from boxmask.pipeline.segmentation import inference as pixel_maps
from boxmask.pipeline.segmentation.inference import evaluating, label_whole, likeliest

HOW = Preparation(32, 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), multiple_of=16)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (40, 60), (101, 33)])
@pytest.mark.parametrize("at_once", [1, 500, 2**22])
def test_strips_are_what_interpolation_gives(
    size: tuple[int, int], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_maps, "NUMBERS_AT_ONCE", at_once)
    logits = torch.randn(4, 9, 11, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(logits[None], size=size, mode="bilinear")[0].argmax(0)
    found = likeliest(logits, size)
    assert found.dtype == torch.uint8
    assert torch.equal(found.long(), expected)


def test_padding_is_cut_off_and_photos_keep_their_order() -> None:
    seen = []

    def brightest(pixels: Tensor) -> Tensor:
        seen.append(tuple(pixels.shape))
        return pixels

    photos = [torch.zeros(3, *size) for size in ((64, 90), (90, 64), (64, 90))]
    for number, photo in enumerate(photos):
        photo[number] = 1
    found = label_whole(photos, brightest, HOW)
    assert seen == [(2, 3, 32, 48), (1, 3, 48, 32)]  # those of one size together
    for number, (photo, labels) in enumerate(zip(photos, found, strict=True)):
        assert labels.shape == photo.shape[1:]
        assert (labels == number).all()


def test_modes_come_back() -> None:
    network = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout())).train()
    network[1].eval()
    with evaluating(network):
        assert not any(module.training for module in network.modules())

    assert [module.training for module in network.modules()] == [True, True, False, False]
