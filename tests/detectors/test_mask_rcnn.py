"""The mask branch, worked by hand; tests/contract and tests/parity test all of Mask R-CNN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors import presets
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.detectors.mask_rcnn import MaskRCNN, MaskRCNNConfig
from boxmask.kernels import mask_targets
from boxmask.masks import Masks
from boxmask.pipeline.images import Batch
from boxmask.pipeline.roi_sampling import SampledRois
from boxmask.types import Detections, Target

SMALL = MaskRCNNConfig(
    ("cat", "dog"),
    "test_resnet",
    shorter_side=64,
    longer_side=96,
    channels=16,
    rpn_channels=16,
    hidden=16,
    mask_channels=16,
    score_threshold=0.01,
)
SIZE = (64, 96)
BOXES = [[10.0, 10, 40, 50], [50, 20, 90, 60]]
BOX_LOSSES = {"rpn_objectness", "rpn_box", "roi_class", "roi_box"}


@pytest.fixture(scope="module")
def network() -> MaskRCNN:
    torch.manual_seed(0)
    return MaskRCNN(SMALL).eval()


def photo(seed: int = 0) -> Tensor:
    return torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(seed))


def target_with_masks(*known: bool) -> Target:
    """Two objects; each known mask is the lower half of its box."""
    dense = np.zeros((2, *SIZE), dtype=np.bool_)
    for mask, (x1, y1, x2, y2), flag in zip(dense, BOXES, known, strict=True):
        mask[int(y1 + y2) // 2 : int(y2), int(x1) : int(x2)] = flag
    return replace(Target.of(BOXES, [0, 1]), masks=Masks.from_dense(dense))


def loss_of(network: MaskRCNN, targets: list[Target], seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return network.loss([photo(n) for n in range(len(targets))], targets)


# ---------------------------------------------------------------- section 3: what is learned

DRAWN = SampledRois(
    [torch.tensor([[50.0, 22, 90, 60], [10, 10, 40, 48], [0, 0, 9, 9]]), torch.tensor([[12.0, 10, 40, 50]])],
    torch.tensor([1, 0, 2, 0]),
    torch.zeros(4, 4),
    torch.tensor([1, 0, -1, 0]),
    torch.tensor([0, 1, 3]),
)


def batch_of(count: int, resized: tuple[int, int] = SIZE) -> Batch:
    return Batch(torch.zeros(count, 3, *resized), [resized] * count, [SIZE] * count)


def test_rois_with_a_known_mask_and_their_targets(network: MaskRCNN) -> None:
    """Background and objects without a known mask are left out."""
    first, second = target_with_masks(False, True), target_with_masks(True, True)
    rois, labels, wanted = network.mask_targets(DRAWN, [first, second], batch_of(2))
    assert [boxes.tolist() for boxes in rois] == [[[50, 22, 90, 60]], [[12, 10, 40, 50]]]
    assert labels.tolist() == [1, 0]
    assert wanted.shape == (2, 28, 28)
    expected = mask_targets(second.masks, torch.tensor([0]), DRAWN.boxes[1], 28)  # type: ignore[arg-type]
    assert torch.equal(wanted[1:], expected)
    assert not wanted[:, :12].any()  # the upper half of the object
    assert (wanted[:, 16:27, 2:26] == 1).all()


def test_mask_targets_are_read_in_pixels_of_the_photo(network: MaskRCNN) -> None:
    """RoIs in a photo that was resized to half are the same as in the photo itself."""
    whole, half = batch_of(2), batch_of(2, (32, 48))
    scaled = DRAWN._replace(boxes=[boxes / 2 for boxes in DRAWN.boxes])
    targets = [target_with_masks(True, True)] * 2
    for a, b in zip(
        network.mask_targets(DRAWN, targets, whole), network.mask_targets(scaled, targets, half), strict=True
    ):
        if isinstance(a, Tensor):
            torch.testing.assert_close(a, b)


def test_the_loss_by_hand(network: MaskRCNN) -> None:
    """Binary cross-entropy of the true class alone, the mean over the pixels of RoIs with a known mask."""
    targets = [target_with_masks(False, True), target_with_masks(True, True)]
    rois, labels, wanted = network.mask_targets(DRAWN, targets, batch_of(2))
    features = network.boxes.features(network.boxes.prepare([photo(0), photo(1)]).pixels)
    logits = network.mask_head(network.pool(features, rois), labels)
    expected = F.binary_cross_entropy_with_logits(logits, wanted)
    torch.testing.assert_close(network.mask_loss(features, DRAWN, targets, batch_of(2)), expected)


WITHOUT_MASKS = {
    "boxes alone": Target.of(BOXES, [0, 1]),
    "no mask known": target_with_masks(False, False),
    "no objects": Target.of([], []),
    "a crowd": replace(target_with_masks(True, True), ignore=torch.tensor([True, True])),
}


@pytest.mark.parametrize("kind", WITHOUT_MASKS)
def test_without_known_masks_the_mask_loss_is_zero(network: MaskRCNN, kind: str) -> None:
    network.zero_grad()
    losses = loss_of(network, [WITHOUT_MASKS[kind]])
    assert losses["mask"].item() == 0
    torch.stack(list(losses.values())).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert name.startswith("boxes.") or not parameter.grad.any()


def test_boxes_without_masks_do_not_dilute_the_mask_loss(network: MaskRCNN) -> None:
    """If one photo of the batch has boxes only, the loss is the mean over the other RoIs."""
    both = [target_with_masks(True, True), WITHOUT_MASKS["boxes alone"]]
    alone, mixed = loss_of(network, both[:1])["mask"], loss_of(network, both)["mask"]
    assert mixed.item() == pytest.approx(alone.item(), rel=0.02)


def test_masks_of_another_size_are_refused(network: MaskRCNN) -> None:
    wrong = replace(Target.of(BOXES, [0, 1]), masks=Masks.unknown(2, (60, 96)))
    with pytest.raises(ValueError, match=r"\(64, 96\), found \(60, 96\)"):
        network.loss([photo()], [wrong])


def test_the_other_losses_are_faster_rcnns(network: MaskRCNN) -> None:
    target = target_with_masks(True, True)
    found = loss_of(network, [target])
    assert set(found) == {*BOX_LOSSES, "mask"}
    torch.manual_seed(0)
    expected = network.boxes.loss([photo()], [target])
    assert {name: loss.item() for name, loss in expected.items()} == {
        name: found[name].item() for name in BOX_LOSSES
    }


def test_given_proposals_replace_the_rpn(network: MaskRCNN) -> None:
    losses = network.loss([photo()], [target_with_masks(True, True)], proposals=[torch.tensor(BOXES)])
    assert set(losses) == {"roi_class", "roi_box", "mask"}
    assert losses["mask"].item() > 0


# ---------------------------------------------------------------- section 3.1: what is found


def test_a_trained_faster_rcnn_can_be_copied_in(network: MaskRCNN) -> None:
    trained = FasterRCNN(SMALL)
    state = {f"boxes.{key}": tensor for key, tensor in trained.state_dict().items()}
    joined = MaskRCNN(SMALL)
    missing, unknown = joined.load_state_dict(state, strict=False)
    assert not unknown
    assert all(key.startswith("mask_head.") for key in missing)
    found, expected = joined.predict(photo()), trained.predict(photo())
    assert np.array_equal(found.boxes, expected.boxes)
    assert np.array_equal(found.scores, expected.scores)


def test_each_object_gets_the_mask_of_its_class(network: MaskRCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch that fills the left half for cats, the lower half for dogs."""

    def halves(rois: Tensor, labels: Tensor) -> Tensor:
        logits = torch.full((len(labels), 28, 28), -9.0)
        logits[labels == 0, :, :14] = 9
        logits[labels == 1, 14:] = 9
        return logits

    monkeypatch.setattr(network.mask_head, "forward", halves)
    batch = Batch(torch.zeros(1, 3, 64, 96), [(64, 96)], [(128, 192)])
    features = network.boxes.features(batch.pixels)
    boxes = torch.tensor([[20.0, 20, 80, 100], [100, 40, 180, 120]])
    given = Detections(boxes, torch.tensor([0.9, 0.8]), torch.tensor([0, 1]), SMALL.class_names, (128, 192))
    (found,) = network.add_masks(features, [given], batch)
    assert found.masks is not None
    assert found.masks.size == (128, 192)
    wanted = np.array([[20, 20, 50, 100], [100, 80, 180, 120]])
    assert np.abs(found.masks.boxes() - wanted).max() <= 2
    assert (found.boxes == boxes).all()


def test_a_photo_without_detections(network: MaskRCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network.boxes, "config", replace(SMALL, score_threshold=1.0))
    found = network.predict([photo(), photo(1)])
    assert [(len(one), len(one.masks or ())) for one in found] == [(0, 0), (0, 0)]
    assert all(one.masks is not None and one.masks.size == SIZE for one in found)


# ---------------------------------------------------------------- presets


def test_the_papers_hyperparameters() -> None:
    config = MaskRCNNConfig(("a",), **presets.MASK_RCNN["paper"])  # type: ignore[arg-type]
    assert (config.backbone, config.strides, config.channels) == ("resnet50", (4, 8, 16, 32), 256)
    assert (config.mask_pool_size, config.mask_depth, config.mask_channels) == (14, 4, 256)
    assert (config.mask_threshold, config.roi_samples, config.roi_iou) == (0.5, 512, 0.5)
    assert (config.shorter_side, config.test_proposals[1], config.detections_per_image) == (800, 1000, 100)
    plain = {**presets.FASTER_RCNN["fpn"], "mask_depth": 4, "mask_channels": 256}
    assert presets.MASK_RCNN["fpn"] == plain
