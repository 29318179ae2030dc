"""From logits to label maps."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.images import Preparation
from boxmask.pipeline.segmentation import inference
from boxmask.pipeline.segmentation.inference import eval_mode, predict_whole, upsample_argmax

PREPARATION = Preparation(32, 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), multiple_of=16)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (40, 60), (101, 33)])
@pytest.mark.parametrize("max_logits", [1, 500, 2**22])
def test_argmax_in_strips_equals_argmax_of_the_interpolated_map(
    size: tuple[int, int], max_logits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "MAX_LOGITS", max_logits)
    logits = torch.randn(4, 9, 11, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(logits[None], size=size, mode="bilinear")[0].argmax(0)
    found = upsample_argmax(logits, size)
    assert found.dtype == torch.uint8
    assert torch.equal(found.long(), expected)


def test_every_photo_runs_alone_and_its_padding_is_cut_off() -> None:
    seen = []

    def identity(pixels: Tensor) -> Tensor:
        seen.append(tuple(pixels.shape))
        return pixels

    photos = [torch.zeros(3, *size) for size in ((64, 90), (90, 64), (64, 90))]
    for number, photo in enumerate(photos):
        photo[number] = 1
    found = [predict_whole(photo, identity, PREPARATION) for photo in photos]
    assert seen == [(1, 3, 32, 48), (1, 3, 48, 32), (1, 3, 32, 48)]
    for number, (photo, labels) in enumerate(zip(photos, found, strict=True)):
        assert labels.shape == photo.shape[1:]
        assert (labels == number).all()


def test_eval_mode_restores_the_mode_of_every_module() -> None:
    network = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout())).train()
    network[1].eval()
    with eval_mode(network):
        assert not any(module.training for module in network.modules())

    assert [module.training for module in network.modules()] == [True, True, False, False]
