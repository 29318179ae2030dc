"""The contract of every segmenter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from boxmask.segmenters.contract import Segmenter
from boxmask.segmenters.table import SEGMENTERS
from boxmask.types import IGNORED, SegmentationMap, SegmentationTarget

Build = Callable[..., Segmenter]

CLASSES = ("background", "red thing", "grüne", "蓝")
SIDES = {"shorter_side": 96, "longer_side": 160}
SMALL: dict[str, dict[str, object]] = {  # small and quick, with cells small enough for the objects
    "fcn": SIDES,
    "unet": SIDES,
    "deeplab-v3": {**SIDES, "output_stride": 8},
}
BOXES = {1: (12, 10, 52, 60), 2: (70, 30, 130, 66), 3: (84, 76, 120, 112)}  # in `photo`, by class
SIZE = (120, 150)  # of `photo`


@pytest.fixture(params=list(SEGMENTERS), scope="module")
def model(request: pytest.FixtureRequest) -> str:
    """The name of each segmenter of the table."""
    assert set(SMALL) == set(SEGMENTERS), "every segmenter needs a line in SMALL"
    return str(request.param)


@pytest.fixture(scope="module")
def build(model: str, pretrained: dict[str, Tensor]) -> Build:
    """Build the small form of the model, with a seed, class names and hyperparameters."""

    def make(seed: int = 0, class_names: tuple[str, ...] = CLASSES, **options: object) -> Segmenter:
        torch.manual_seed(seed)
        row = SEGMENTERS[model]
        return row.build(row.config(class_names=class_names, **{**SMALL[model], **options}), pretrained)

    return make


def lively(segmenter: Segmenter) -> Segmenter:
    """Add noise to all weights, so that every class is predicted somewhere and every layer matters."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in segmenter.named_parameters():
            if not name.startswith("backbone."):
                spread = 0.3 if parameter.shape[0] == len(segmenter.config.class_names) else 0.02
                parameter.add_(torch.randn(parameter.shape, generator=generator) * spread)
    return segmenter


@pytest.fixture(scope="module", params=["whole", "tiles"])
def segmenter(build: Build, request: pytest.FixtureRequest) -> Segmenter:
    """An untrained one that predicts several classes, on whole photos or tiles. Do not modify."""
    return lively(build(tile=64 if request.param == "tiles" else 0)).eval()


@pytest.fixture
def target() -> SegmentationTarget:
    """The labels of `photo`."""
    labels = torch.zeros(SIZE, dtype=torch.uint8)
    for label, (x1, y1, x2, y2) in BOXES.items():
        labels[y1:y2, x1:x2] = label
    return SegmentationTarget(labels)


def uniform(label: int, size: tuple[int, int] = SIZE) -> SegmentationTarget:
    return SegmentationTarget(torch.full(size, label, dtype=torch.uint8))


def assert_valid(found: SegmentationMap, size: tuple[int, int]) -> None:
    """Check what holds for the label map of any photo of (height, width)."""
    assert type(found) is SegmentationMap
    assert found.size == size
    assert found.labels.dtype == np.uint8
    assert int(found.labels.max()) < len(found.class_names)
    assert sum(found.shares().values()) == pytest.approx(1)


def agreement(one: SegmentationMap, other: SegmentationMap) -> float:
    """Fraction of pixels with the same class."""
    assert one.size == other.size
    assert one.class_names == other.class_names
    return float((one.labels == other.labels).mean())


def values(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: loss.item() for name, loss in losses.items()}


def gradients(segmenter: Segmenter, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of every trainable parameter."""
    segmenter.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    trained = {name: p for name, p in segmenter.named_parameters() if p.requires_grad}
    assert [name for name, p in trained.items() if p.grad is None] == []
    return {name: p.grad for name, p in trained.items() if p.grad is not None}


# ---------------------------------------------------------------- predict


def test_n_in_n_out(segmenter: Segmenter, photo: Tensor, empty_photo: Tensor) -> None:
    photos = [photo, empty_photo, photo.flip(2)]
    found = segmenter.predict(photos)
    assert len(found) == 3
    assert len(found[0].shares()) > 1  # otherwise the tests below would be trivial
    for result, image in zip(found, photos, strict=True):
        assert_valid(result, (image.shape[1], image.shape[2]))


def test_an_empty_list_gives_an_empty_list(segmenter: Segmenter) -> None:
    assert segmenter.predict([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2, 3), (64, 65), (700, 60)])
def test_photos_of_any_size_are_accepted(segmenter: Segmenter, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    photo = torch.randint(0, 256, (3, *size), generator=generator, dtype=torch.uint8)
    assert_valid(segmenter.predict(photo), size)


def test_a_large_photo_is_accepted(build: Build) -> None:
    photo = torch.zeros(3, 3000, 4000, dtype=torch.uint8)
    assert_valid(build().predict(photo), (3000, 4000))


def test_path_pil_array_and_tensor_give_the_same_result(
    segmenter: Segmenter, photo: Tensor, tmp_path: Path
) -> None:
    array = photo.permute(1, 2, 0).numpy()
    path = tmp_path / "photo.png"
    Image.fromarray(array).save(path)
    expected = segmenter.predict(photo)
    for same in (path, str(path), Image.open(path), array, np.ascontiguousarray(array)):
        assert agreement(segmenter.predict(same), expected) > 0.999
    assert agreement(segmenter.predict([path, array])[1], expected) > 0.999


def test_floats_and_bytes_agree_up_to_rounding(segmenter: Segmenter, photo: Tensor) -> None:
    assert agreement(segmenter.predict(photo / 255), segmenter.predict(photo)) > 0.95


def test_greyscale_and_transparent_photos_are_converted(segmenter: Segmenter, photo: Tensor) -> None:
    gray = photo[:1]
    assert agreement(segmenter.predict(gray), segmenter.predict(gray.repeat(3, 1, 1))) == 1
    opaque = torch.cat([photo, torch.full_like(gray, 255)])
    assert agreement(segmenter.predict(opaque), segmenter.predict(photo)) == 1


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [1, 0, 1]])
def test_a_photo_in_a_list_gives_the_same_as_alone(
    segmenter: Segmenter, photo: Tensor, empty_photo: Tensor, order: list[int]
) -> None:
    """Wide, tall and single-pixel photos beside each other, in any order."""
    wide, tall = empty_photo.repeat(1, 1, 3), photo[:, :, :30]
    all_photos = [photo, wide, tall, photo[:, :1, :1], empty_photo]
    photos = [all_photos[index] for index in order]
    for together, image in zip(segmenter.predict(photos), photos, strict=True):
        assert np.array_equal(together.labels, segmenter.predict(image).labels)


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=5)
def test_other_photos_in_the_list_change_nothing(segmenter: Segmenter, sizes: list[tuple[int, int]]) -> None:
    generator = torch.Generator().manual_seed(len(sizes))
    photos = [torch.randint(0, 256, (3, *size), generator=generator).to(torch.uint8) for size in sizes]
    for together, image in zip(segmenter.predict(photos), photos, strict=True):
        assert np.array_equal(together.labels, segmenter.predict(image).labels)


def test_the_mode_does_not_change_results(
    segmenter: Segmenter, photo: Tensor, target: SegmentationTarget
) -> None:
    expected, results = segmenter.predict(photo), []
    for training in (True, False):
        segmenter.train(training)
        results.append(values(segmenter.loss([photo], [target])))
        assert agreement(segmenter.predict(photo), expected) == 1
        assert segmenter.training == training
    assert results[0] == results[1]


def test_predict_changes_neither_weights_nor_photo(segmenter: Segmenter, photo: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in segmenter.state_dict().items()}
    copy = photo.clone()
    segmenter.predict([photo])
    assert torch.equal(photo, copy)
    assert all(torch.equal(tensor, before[name]) for name, tensor in segmenter.state_dict().items())


def test_any_class_names_and_a_single_class_work(build: Build, photo: Tensor) -> None:
    names = ('"quoted", and comma', "Ünï", "class 3", "")
    assert build(class_names=names).predict(photo).class_names == names
    alone = build(class_names=("thing",))
    assert alone.predict(photo).shares() == {"thing": 1}
    assert values(alone.loss([photo], [uniform(0)]))["pixel_class"] == 0


def test_forward_gives_logits_of_the_input_size(segmenter: Segmenter) -> None:
    for size in ((64, 96), (61, 90)):
        assert segmenter(torch.zeros(2, 3, *size)).shape == (2, len(CLASSES), *size)


# ---------------------------------------------------------------- loss


def test_losses_are_named_scalars(build: Build, photo: Tensor, target: SegmentationTarget) -> None:
    for region_loss in ("none", "dice", "lovasz"):
        losses = build(region_loss=region_loss).loss([photo, photo.flip(2)], [target, uniform(0)])
        assert set(losses) == {"pixel_class"} | ({"pixel_region"} if region_loss != "none" else set())
        for loss in losses.values():
            assert loss.shape == ()
            assert loss.requires_grad
            assert loss.item() >= 0


def test_the_first_loss_is_about_that_of_uniform_guessing(
    build: Build, photo: Tensor, target: SegmentationTarget
) -> None:
    assert values(build().loss([photo], [target]))["pixel_class"] == pytest.approx(math.log(4), rel=0.4)


def test_every_trainable_parameter_gets_a_gradient(
    build: Build, photo: Tensor, target: SegmentationTarget
) -> None:
    segmenter = lively(build())
    segmenter.freeze(1)
    found = gradients(segmenter, segmenter.loss([photo, photo.flip(2)], [target, target]))
    assert all(gradient.isfinite().all() for gradient in found.values())
    assert [name for name, gradient in found.items() if not gradient.any()] == []
    frozen = [name for name, p in segmenter.named_parameters() if not p.requires_grad]
    assert frozen
    assert all(name.startswith("backbone.") for name in frozen)


ONE_PIXEL = uniform(IGNORED)
ONE_PIXEL.labels[7, 9] = 2


@pytest.mark.parametrize("region_loss", ["none", "dice", "lovasz"])
@pytest.mark.parametrize(
    "labels", [uniform(IGNORED), ONE_PIXEL, uniform(3)], ids=["all ignored", "one pixel", "one class"]
)
def test_odd_labels_give_finite_losses(
    build: Build, photo: Tensor, labels: SegmentationTarget, region_loss: str
) -> None:
    segmenter = build(
        region_loss=region_loss, shorter_side=120
    )  # the photo keeps its size, so that no pixel is lost
    losses = segmenter.loss([photo], [labels])
    assert all(math.isfinite(loss) for loss in values(losses).values())
    assert all(gradient.isfinite().all() for gradient in gradients(segmenter, losses).values())
    if (labels.labels == IGNORED).all():
        assert set(values(losses).values()) == {0.0}
    else:
        assert values(losses)["pixel_class"] > 0


def test_ignored_pixels_do_not_count(segmenter: Segmenter, photo: Tensor, target: SegmentationTarget) -> None:
    """With half of the labels ignored, the loss is that of the other half."""
    labels = target.labels.clone()
    labels[:, 75:] = IGNORED
    half = values(segmenter.loss([photo], [SegmentationTarget(labels)]))
    labels = target.labels.clone()
    labels[:, :75] = IGNORED
    other = values(segmenter.loss([photo], [SegmentationTarget(labels)]))
    whole = values(segmenter.loss([photo], [target]))
    assert half["pixel_class"] != other["pixel_class"]
    assert whole["pixel_class"] == pytest.approx((half["pixel_class"] + other["pixel_class"]) / 2, rel=1e-3)


def test_padding_does_not_count(segmenter: Segmenter, photo: Tensor, target: SegmentationTarget) -> None:
    """A photo in a batch with a larger, fully ignored one has about the same loss as alone.

    Not exactly the same: group norm includes the padding.
    """
    large = torch.zeros(3, 240, 150, dtype=torch.uint8)
    alone = values(segmenter.loss([photo], [target]))
    beside = values(segmenter.loss([photo, large], [target, uniform(IGNORED, (240, 150))]))
    assert beside["pixel_class"] == pytest.approx(alone["pixel_class"], rel=0.3)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (1500, 2000)])
def test_losses_are_finite_for_photos_of_any_size(build: Build, size: tuple[int, int]) -> None:
    photo = torch.zeros(3, *size, dtype=torch.uint8)
    losses = build().loss([photo], [uniform(1, size)])
    assert all(math.isfinite(loss) for loss in values(losses).values())


def test_labels_of_another_size_or_class_are_rejected(segmenter: Segmenter, photo: Tensor) -> None:
    with pytest.raises(
        ValueError, match=r"labels: expected the photo's size \(120, 150\), found \(120, 149\)"
    ):
        segmenter.loss([photo], [uniform(0, (120, 149))])
    with pytest.raises(ValueError, match=r"labels: expected 0..3 or 255, found 4"):
        segmenter.loss([photo], [uniform(4)])


def test_labels_are_in_the_photos_own_pixels(build: Build, photo: Tensor, target: SegmentationTarget) -> None:
    """A photo and its labels at twice the size give about the same loss."""
    segmenter = lively(build())
    twice = photo.repeat_interleave(2, 1).repeat_interleave(2, 2)
    labels = target.labels.repeat_interleave(2, 0).repeat_interleave(2, 1)
    losses = [
        values(segmenter.loss([image], [one]))["pixel_class"]
        for image, one in ((photo, target), (twice, SegmentationTarget(labels)))
    ]
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


# ---------------------------------------------------------------- seeds, files, learning


def test_the_same_seed_gives_the_same_result(build: Build, photo: Tensor, target: SegmentationTarget) -> None:
    outcomes = []
    for seed in (5, 5, 6):
        segmenter = build(seed)
        outcomes.append((segmenter.predict(photo).labels, values(segmenter.loss([photo], [target]))))
    assert np.array_equal(outcomes[0][0], outcomes[1][0])
    assert outcomes[0][1] == outcomes[1][1]
    assert outcomes[0][1] != outcomes[2][1]


def test_a_saved_and_loaded_model_is_equal(
    segmenter: Segmenter, photo: Tensor, model: str, tmp_path: Path
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in segmenter.state_dict().items()}, path)
    again = SEGMENTERS[model].build(segmenter.config, None)
    again.load_state_dict(load_file(path))
    assert agreement(again.predict(photo), segmenter.predict(photo)) == 1


def test_the_config_is_frozen(segmenter: Segmenter) -> None:
    with pytest.raises(FrozenInstanceError):
        segmenter.config.shorter_side = 1


def learn(segmenter: Segmenter, photo: Tensor, target: SegmentationTarget, steps: int) -> None:
    """Train on one photo, or on the tiles at its four corners if the config asks for tiles."""
    side = segmenter.config.tile or 1000
    cuts = [(y, x) for y in {0, max(0, SIZE[0] - side)} for x in {0, max(0, SIZE[1] - side)}]
    photos = [photo[:, y : y + side, x : x + side] for y, x in cuts]
    targets = [SegmentationTarget(target.labels[y : y + side, x : x + side]) for y, x in cuts]
    segmenter.freeze(1)
    trained = [p for p in segmenter.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-3)
    for step in range(steps):
        optimizer.zero_grad()
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        sum(segmenter.loss(photos, targets).values(), torch.tensor(0.0)).backward()
        torch.nn.utils.clip_grad_norm_(trained, 10)
        optimizer.step()


@pytest.mark.slow
@pytest.mark.parametrize("tile", [0, 96])
def test_it_overfits_one_photo(build: Build, photo: Tensor, target: SegmentationTarget, tile: int) -> None:
    """Most pixels of every class, on the whole photo and on a photo larger than a tile."""
    segmenter = build(tile=tile)
    learn(segmenter, photo, target, steps=80)
    found, expected = segmenter.predict(photo).labels, np.asarray(target.labels)
    for label in range(4):
        here, there = found == label, expected == label
        assert (here & there).sum() > 0.6 * (here | there).sum()
