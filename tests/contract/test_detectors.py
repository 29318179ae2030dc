"""The contract of every detector."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.geometry.boxes import iou
from boxmask.types import Detections, Target
from boxmask.weights.checkpoint import CheckpointMetadata, load_detector, save_checkpoint

Build = Callable[..., Detector]
NOTHING = Target.of([], [])


def assert_sound(found: Detections, size: tuple[int, int], classes: int) -> None:
    """Check what holds for any detections in a photo of (height, width)."""
    height, width = size
    assert found.size == size
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.labels.dtype == np.int64
    assert found.boxes.shape == (len(found), 4)
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [width, height, width, height]).all()
    assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (found.scores[1:] <= found.scores[:-1]).all()
    assert ((found.labels >= 0) & (found.labels < classes)).all()
    assert len(found.class_names) == classes
    if found.masks is not None:  # one mask per detection, in pixels of the photo, close to its box
        assert (len(found.masks), found.masks.size) == (len(found), size)
        assert found.masks.bits.dtype == np.bool_
        known, around = found.masks.known, found.masks.boxes()
        reach = 2 + 0.1 * (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, keepdims=True, initial=0)
        assert (np.abs(np.clip(around, *edges(found)) - around)[known] <= reach[known]).all()


def edges(found: Detections) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The upper left and lower right corner of each box, each twice."""
    return np.tile(found.boxes[:, :2], 2), np.tile(found.boxes[:, 2:], 2)


def assert_same(found: Detections, expected: Detections, tolerance: float = 0.0) -> None:
    assert (len(found), found.size, found.class_names) == (len(expected), expected.size, expected.class_names)
    torch.testing.assert_close(found.boxes, expected.boxes, rtol=0, atol=tolerance * 100)
    torch.testing.assert_close(found.scores, expected.scores, rtol=0, atol=tolerance)
    assert np.array_equal(found.labels, expected.labels)
    assert (found.masks is None) == (expected.masks is None)
    if found.masks is not None and expected.masks is not None and tolerance == 0:
        assert np.array_equal(found.masks.windows, expected.masks.windows)
        assert np.array_equal(found.masks.bits, expected.masks.bits)


def numbers(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: loss.item() for name, loss in losses.items()}


def gradients(detector: Detector, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of every parameter that is trained."""
    detector.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    trained = {name: p for name, p in detector.named_parameters() if p.requires_grad}
    assert [name for name, p in trained.items() if p.grad is None] == []
    return {name: p.grad for name, p in trained.items() if p.grad is not None}


# ---------------------------------------------------------------- predict


def test_n_in_n_out(detector: Detector, photo: Tensor, empty_photo: Tensor) -> None:
    photos = [photo, empty_photo, photo.flip(2)]
    found = detector.predict(photos)
    assert [type(one) for one in found] == [Detections] * 3
    assert sum(map(len, found)) > 30  # otherwise the tests below would be trivial
    for result, image in zip(found, photos, strict=True):
        assert_sound(result, (image.shape[1], image.shape[2]), 3)


def test_an_empty_list(detector: Detector) -> None:
    assert detector.predict([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2, 3), (3000, 4000), (4000, 60)])
def test_photos_of_any_size(detector: Detector, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    photo = torch.randint(0, 256, (3, *size), generator=generator, dtype=torch.uint8)
    assert_sound(detector.predict(photo), size, 3)


def test_path_pil_array_and_tensor_give_the_same_result(
    detector: Detector, photo: Tensor, tmp_path: Path
) -> None:
    array = photo.permute(1, 2, 0).numpy()
    path = tmp_path / "photo.png"
    Image.fromarray(array).save(path)
    expected = detector.predict(photo)
    for same in (path, str(path), Image.open(path), array, np.ascontiguousarray(array)):
        assert_same(detector.predict(same), expected, 1e-4)
    assert_same(detector.predict([path, array])[1], expected, 1e-4)


def test_floats_equal_bytes_up_to_rounding(detector: Detector, photo: Tensor) -> None:
    of_bytes, of_floats = detector.predict(photo), detector.predict(photo / 255)
    torch.testing.assert_close(of_floats.scores[:10], of_bytes.scores[:10], rtol=0, atol=0.05)


def test_gray_and_transparent_photos(detector: Detector, photo: Tensor) -> None:
    gray = photo[:1]
    assert_same(detector.predict(gray), detector.predict(gray.repeat(3, 1, 1)))
    opaque = torch.cat([photo, torch.full_like(gray, 255)])
    assert_same(detector.predict(opaque), detector.predict(photo))
    pil = Image.fromarray(photo[0].numpy())
    assert_same(detector.predict(pil), detector.predict(gray), 1e-4)


def framed(size: tuple[int, int]) -> Tensor:
    """(3, H, W) uint8: a red rectangle on noise, the same for the same size."""
    height, width = size
    photo = torch.randint(110, 150, (3, *size), generator=torch.Generator().manual_seed(height * width))
    photo[:, height // 5 : height // 2, width // 5 : width // 2] = torch.tensor([210, 40, 30])[:, None, None]
    return photo.to(torch.uint8)


LISTED_SIZES = [(96, 96), (90, 300), (300, 60), (1, 1), (1, 200), (120, 150), (121, 151)]


@pytest.mark.parametrize("order", [[6, 5, 4, 3, 2, 1, 0], [5, 1, 5], [4, 0]])
def test_a_photo_in_a_list_gives_the_same_as_alone(detector: Detector, order: list[int]) -> None:
    """Wide, tall and single-pixel photos beside each other, in any order."""
    photos = [framed(LISTED_SIZES[index]) for index in order]
    for together, image in zip(detector.predict(photos), photos, strict=True):
        assert_same(together, detector.predict(image))


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=5)
def test_other_photos_in_the_list_change_nothing(detector: Detector, sizes: list[tuple[int, int]]) -> None:
    photos = [framed(size) for size in sizes]
    for together, image in zip(detector.predict(photos), photos, strict=True):
        assert_same(together, detector.predict(image))


def test_a_given_proposal_belongs_to_its_photo(detector: Detector, photo: Tensor) -> None:
    first, second = torch.tensor([[5.0, 5, 80, 90]]), torch.tensor([[40.0, 10, 140, 70], [0, 0, 50, 50]])
    together = detector.predict([photo, photo.flip(2)], [first, second])
    assert_same(together[0], detector.predict(photo, first))
    assert_same(together[1], detector.predict(photo.flip(2), second))
    with pytest.raises(ValueError, match="zip"):
        detector.predict([photo, photo], [first])


def test_the_mode_changes_nothing(detector: Detector, photo: Tensor, target: Target) -> None:
    expected, results = detector.predict(photo), []
    for training in (True, False):
        detector.train(training)
        torch.manual_seed(3)
        results.append(numbers(detector.loss([photo], [target])))
        assert_same(detector.predict(photo), expected)
    assert results[0] == results[1]


def test_predict_changes_nothing(detector: Detector, photo: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    copy = photo.clone()
    detector.predict([photo])
    assert torch.equal(photo, copy)
    assert all(torch.equal(tensor, before[name]) for name, tensor in detector.state_dict().items())


def test_renamed_classes_survive(build: Build, photo: Tensor, tmp_path: Path, model: str) -> None:
    names = ('"quoted", and comma', "Ünï", "class 3")
    detector = build(class_names=names)
    save_checkpoint(
        tmp_path / "x.safetensors", detector.state_dict(), CheckpointMetadata(model, asdict(detector.config))
    )
    found = load_detector(tmp_path / "x.safetensors").predict(photo)
    assert found.class_names == names
    assert set(found.names) <= set(names)


def test_one_class_is_enough(build: Build, photo: Tensor) -> None:
    detector = build(class_names=("thing",))
    assert_sound(detector.predict(photo), (120, 150), 1)
    losses = detector.loss([photo], [Target.of([[10, 10, 50, 60]], [0])])
    assert all(math.isfinite(loss) for loss in numbers(losses).values())


# ---------------------------------------------------------------- loss


def test_losses_are_named_scalars(detector: Detector, photo: Tensor, target: Target) -> None:
    losses = detector.loss([photo, photo.flip(2)], [target, NOTHING])
    assert losses
    for name, loss in losses.items():
        stage, _, what = name.partition("_")
        assert stage
        assert what or name == "mask"
        assert loss.shape == ()
        assert loss.requires_grad
        assert loss.item() >= 0


def test_every_trained_parameter_learns(build: Build, photo: Tensor, target: Target) -> None:
    detector = lively_copy(build)
    detector.freeze(1)
    found = gradients(detector, detector.loss([photo, photo.flip(2)], [target, target]))
    assert all(gradient.isfinite().all() for gradient in found.values())
    assert [name for name, gradient in found.items() if not gradient.any()] == []
    frozen = [name for name, p in detector.named_parameters() if not p.requires_grad]
    assert frozen
    assert all("backbone" in name.split(".") for name in frozen)


def lively_copy(build: Build) -> Detector:
    """A new detector per test, because gradients accumulate in it."""
    detector = build()
    for parameter in detector.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 1e-3)
    return detector


OBJECTS = Target.of([[10, 10, 50, 60], [60, 20, 120, 90]], [0, 2])
ALL_IGNORED = Target.of(OBJECTS.boxes, OBJECTS.labels, [True, True])
ONE_IGNORED = Target.of([[0, 0, 150, 120], [60, 20, 120, 90]], [0, 2], [True, False])
TINY = Target.of([[149.2, 119.2, 149.5, 119.9], [0, 0, 150, 120]], [1, 1])
TWINS = Target.of([[10, 10, 50, 60]] * 3, [0, 1, 2])


@pytest.mark.parametrize(
    "labels", [NOTHING, ALL_IGNORED, ONE_IGNORED, TINY, TWINS], ids=["nothing", "all", "one", "tiny", "twins"]
)
def test_unusual_labels_give_finite_losses(build: Build, photo: Tensor, labels: Target) -> None:
    """No objects, ignored objects, slivers, and three objects in one box."""
    detector = build()
    losses = detector.loss([photo], [labels])
    assert all(math.isfinite(loss) for loss in numbers(losses).values())
    assert all(gradient.isfinite().all() for gradient in gradients(detector, losses).values())


def test_ignored_objects_are_not_learned(detector: Detector, photo: Tensor) -> None:
    """The label of an ignored object has no effect on the loss."""
    losses = []
    for label in (0, 2):
        torch.manual_seed(0)
        target = Target.of(ONE_IGNORED.boxes, [label, 2], ONE_IGNORED.ignore)
        losses.append(numbers(detector.loss([photo], [target])))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (1500, 2000)])
def test_losses_of_photos_of_any_size(detector: Detector, size: tuple[int, int]) -> None:
    photo = torch.zeros(3, *size, dtype=torch.uint8)
    losses = detector.loss([photo], [Target.of([[0, 0, size[1], size[0]]], [1])])
    assert all(math.isfinite(loss) for loss in numbers(losses).values())


def test_labels_are_in_pixels_of_the_photo(detector: Detector, photo: Tensor, target: Target) -> None:
    """A photo and its labels at twice the size give about the same loss."""
    twice = photo.repeat_interleave(2, 1).repeat_interleave(2, 2)
    losses = []
    for image, scale in ((photo, 1), (twice, 2)):
        torch.manual_seed(0)
        masks = target.masks and target.masks.resize((120 * scale, 150 * scale))
        labels = replace(Target.of(target.boxes * scale, target.labels), masks=masks)
        losses.append(numbers(detector.loss([image], [labels])))
    assert losses[1] == pytest.approx(losses[0], rel=0.4, abs=0.02)


# ---------------------------------------------------------------- seeds, files, learning


def test_the_seed_decides_everything(build: Build, photo: Tensor, target: Target) -> None:
    outcomes = []
    for seed in (5, 5, 6):
        detector = build(seed)
        losses = numbers(detector.loss([photo], [target]))
        outcomes.append((detector.predict(photo), losses))
    assert_same(outcomes[0][0], outcomes[1][0])
    assert outcomes[0][1] == outcomes[1][1]
    assert outcomes[0][1] != outcomes[2][1]


def test_a_loaded_detector_equals_the_saved_one(
    detector: Detector, photo: Tensor, tmp_path: Path, model: str
) -> None:
    path = tmp_path / "best.safetensors"
    save_checkpoint(path, detector.state_dict(), CheckpointMetadata(model, asdict(detector.config)))
    loaded = load_detector(path)
    assert loaded.config == detector.config
    assert not loaded.training
    assert_same(loaded.predict(photo), detector.predict(photo))


def test_the_config_is_frozen(detector: Detector) -> None:
    with pytest.raises(FrozenInstanceError):
        detector.config.shorter_side = 1


def learn(detector: Detector, photo: Tensor, target: Target, steps: int) -> None:
    """Train on one photo."""
    detector.freeze(1)
    trained = [p for p in detector.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    for step in range(steps):
        optimizer.zero_grad()
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - step / steps)
        sum(detector.loss([photo], [target]).values(), torch.tensor(0.0)).backward()
        torch.nn.utils.clip_grad_norm_(trained, 10)
        optimizer.step()


def test_it_overfits_one_photo(build: Build, photo: Tensor, target: Target) -> None:
    """It finds each object, and little else."""
    detector = build()
    learn(detector, photo, target, steps=50)
    found = detector.predict(photo).filter(min_score=0.5)
    overlaps = iou(torch.from_numpy(found.boxes), target.boxes) * (
        torch.from_numpy(found.labels)[:, None] == target.labels
    )
    assert (overlaps.amax(dim=0) > 0.5).all()
    assert len(found) <= 2 * len(target.boxes)
    if found.masks is not None and target.masks is not None:
        best = (overlaps.argmax(dim=0)).numpy()
        both = found.masks[best].dense() & target.masks.dense()
        either = found.masks[best].dense() | target.masks.dense()
        assert (both.sum((1, 2)) / either.sum((1, 2)) > 0.5).all()
