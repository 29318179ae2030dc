"""The contract of every classifier."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from boxmask.classifiers.contract import Classifier
from boxmask.classifiers.table import CLASSIFIERS
from boxmask.types import Classification, ClassificationTarget
from boxmask.weights.checkpoint import CheckpointMetadata, load_model, save_checkpoint

Build = Callable[..., Classifier]

CLASSES = ("red thing", "grüne", "蓝")
COLORS = ((210, 40, 30), (40, 180, 50), (40, 60, 220))
SMALL: dict[str, dict[str, object]] = {  # small and quick
    "classifier": {"shorter_side": 64, "longer_side": 64},
}


@pytest.fixture(params=list(CLASSIFIERS), scope="module")
def model(request: pytest.FixtureRequest) -> str:
    """The name of each classifier of the table."""
    assert set(SMALL) == set(CLASSIFIERS), "every classifier needs a line in SMALL"
    return str(request.param)


@pytest.fixture(scope="module")
def build(model: str, pretrained: dict[str, Tensor]) -> Build:
    """Build the small form of the model, with a seed, class names and hyperparameters."""

    def make(seed: int = 0, class_names: tuple[str, ...] = CLASSES, **options: object) -> Classifier:
        torch.manual_seed(seed)
        row = CLASSIFIERS[model]
        return row.build(row.config(class_names=class_names, **{**SMALL[model], **options}), pretrained)

    return make


def lively(classifier: Classifier) -> Classifier:
    """Add noise to the weights outside the backbone, so that photos get different scores."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in classifier.named_parameters():
            if not name.startswith("backbone."):
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return classifier


@pytest.fixture(scope="module")
def classifier(build: Build) -> Classifier:
    """An untrained one. Do not modify."""
    return lively(build()).eval()


def paint(label: int, size: tuple[int, int] = (50, 70), seed: int = 0) -> Tensor:
    """A photo (3, H, W) in the color of a class, with noise; the same for the same arguments."""
    noise = torch.randint(-25, 26, (3, *size), generator=torch.Generator().manual_seed(seed))
    return (torch.tensor(COLORS[label])[:, None, None] + noise).clamp(0, 255).to(torch.uint8)


PHOTOS = [paint(0), paint(1, (90, 20)), paint(2, (30, 120))]
TARGETS = [ClassificationTarget(label) for label in range(3)]


def assert_valid(found: Classification, class_names: tuple[str, ...]) -> None:
    """Check what holds for the classification of any photo."""
    assert type(found) is Classification
    assert found.class_names == class_names
    assert found.scores.shape == (len(class_names),)
    assert found.scores.dtype == np.float32
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert float(found.scores.sum()) == pytest.approx(1, abs=1e-5)


def assert_same(found: Classification, expected: Classification, tolerance: float = 0.0) -> None:
    assert found.class_names == expected.class_names
    torch.testing.assert_close(found.scores, expected.scores, rtol=0, atol=tolerance)


def values(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: loss.item() for name, loss in losses.items()}


def seeded_loss(classifier: Classifier, seed: int = 3) -> dict[str, float]:
    """The losses of all photos, with the same dropout for the same seed."""
    torch.manual_seed(seed)
    return values(classifier.loss(PHOTOS, TARGETS))


def trainable(classifier: Classifier) -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in classifier.named_parameters() if p.requires_grad}


# ---------------------------------------------------------------- predict


def test_n_in_n_out(classifier: Classifier) -> None:
    found = classifier.predict(PHOTOS)
    assert len(found) == 3
    for one in found:
        assert_valid(one, CLASSES)
    assert not np.array_equal(found[0].scores, found[1].scores)  # otherwise the tests below would be trivial


def test_an_empty_list_gives_an_empty_list(classifier: Classifier) -> None:
    assert classifier.predict([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2, 3), (3000, 4000), (4000, 60)])
def test_photos_of_any_size_are_accepted(classifier: Classifier, size: tuple[int, int]) -> None:
    photo = torch.randint(0, 256, (3, *size), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert_valid(classifier.predict(photo), CLASSES)


def test_path_pil_array_and_tensor_give_the_same_result(classifier: Classifier, tmp_path: Path) -> None:
    array = PHOTOS[0].permute(1, 2, 0).numpy()
    path = tmp_path / "photo.png"
    Image.fromarray(array).save(path)
    expected = classifier.predict(PHOTOS[0])
    for same in (path, str(path), Image.open(path), array, np.ascontiguousarray(array)):
        assert_same(classifier.predict(same), expected, 1e-4)
    assert_same(classifier.predict([path, array])[1], expected, 1e-4)


def test_floats_and_bytes_agree_up_to_rounding(classifier: Classifier) -> None:
    assert_same(classifier.predict(PHOTOS[0] / 255), classifier.predict(PHOTOS[0]), 0.05)


def test_greyscale_and_transparent_photos_are_converted(classifier: Classifier) -> None:
    gray = PHOTOS[0][:1]
    assert_same(classifier.predict(gray), classifier.predict(gray.repeat(3, 1, 1)))
    assert_same(classifier.predict(Image.fromarray(gray[0].numpy())), classifier.predict(gray), 1e-4)
    opaque = torch.cat([PHOTOS[0], torch.full_like(gray, 255)])
    assert_same(classifier.predict(opaque), classifier.predict(PHOTOS[0]))


def test_a_photo_in_a_list_gives_the_same_as_alone(classifier: Classifier) -> None:
    photos = [*PHOTOS, paint(0, (1, 1)), paint(1, (1, 300)), paint(2, (400, 20))]
    for order in (photos, photos[::-1], photos[1::2]):
        for together, photo in zip(classifier.predict(order), order, strict=True):
            assert_same(together, classifier.predict(photo))


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=4))
@settings(deadline=None, max_examples=10)
def test_other_photos_in_the_list_change_nothing(
    classifier: Classifier, sizes: list[tuple[int, int]]
) -> None:
    photos = [paint(number % 3, size, number) for number, size in enumerate(sizes)]
    for together, photo in zip(classifier.predict(photos), photos, strict=True):
        assert_same(together, classifier.predict(photo))


def test_the_mode_does_not_change_results(build: Build) -> None:
    classifier, results = lively(build()), []
    expected = classifier.predict(PHOTOS[0])
    for training in (True, False):
        classifier.train(training)
        results.append(seeded_loss(classifier))
        assert_same(classifier.predict(PHOTOS[0]), expected)
        assert classifier.training == training
    assert results[0] == results[1]


def test_predict_changes_neither_weights_nor_photo(classifier: Classifier) -> None:
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    photo = PHOTOS[0].clone()
    classifier.predict([photo])
    assert torch.equal(photo, PHOTOS[0])
    assert all(torch.equal(tensor, before[name]) for name, tensor in classifier.state_dict().items())


def test_any_class_names_and_a_single_class_work(build: Build) -> None:
    names = ('"quoted", and comma', "Ünï", "class 3", "")
    assert_valid(build(class_names=names).predict(PHOTOS[0]), names)
    alone = build(class_names=("thing",))
    assert alone.predict(PHOTOS[0]).scores.tolist() == [1]
    assert all(math.isfinite(loss) for loss in values(alone.loss(PHOTOS[:1], TARGETS[:1])).values())


# ---------------------------------------------------------------- loss


def test_losses_are_named_scalars(classifier: Classifier) -> None:
    losses = classifier.loss(PHOTOS, TARGETS)
    assert losses
    for loss in losses.values():
        assert loss.shape == ()
        assert loss.requires_grad
        assert loss.item() >= 0


def test_the_first_loss_is_about_that_of_uniform_guessing(build: Build) -> None:
    assert sum(seeded_loss(build()).values()) == pytest.approx(math.log(3), rel=0.2)


def test_every_trainable_parameter_gets_a_finite_gradient(build: Build) -> None:
    classifier = lively(build())
    classifier.freeze(1)
    torch.stack(list(classifier.loss(PHOTOS, TARGETS).values())).sum().backward()
    for name, parameter in trainable(classifier).items():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_freeze_keeps_the_first_stages_of_the_backbone(build: Build) -> None:
    classifier = build()
    everything = set(trainable(classifier))
    previous = everything
    for stages in (1, 2, 3):
        classifier.freeze(stages)
        now = set(trainable(classifier))
        assert now < previous
        assert all(name.startswith("backbone.") for name in everything - now)
        previous = now
    frozen = {name: p.detach().clone() for name, p in classifier.named_parameters() if name not in previous}
    optimizer = torch.optim.SGD(trainable(classifier).values(), lr=0.1)
    torch.stack(list(classifier.loss(PHOTOS, TARGETS).values())).sum().backward()
    optimizer.step()
    assert all(torch.equal(classifier.get_parameter(name), tensor) for name, tensor in frozen.items())
    classifier.freeze(0)
    assert set(trainable(classifier)) == everything


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (1500, 20), (1500, 2000)])
def test_losses_are_finite_for_photos_of_any_size(build: Build, size: tuple[int, int]) -> None:
    losses = build().loss([torch.zeros(3, *size, dtype=torch.uint8)], [ClassificationTarget(1)])
    assert all(math.isfinite(loss) for loss in values(losses).values())


def test_a_photo_at_twice_the_size_gives_about_the_same_loss(build: Build) -> None:
    classifier = lively(build(dropout=0.0))
    twice = [photo.repeat_interleave(2, 1).repeat_interleave(2, 2) for photo in PHOTOS]
    once, doubled = (sum(values(classifier.loss(photos, TARGETS)).values()) for photos in (PHOTOS, twice))
    assert doubled == pytest.approx(once, rel=0.1)


# ---------------------------------------------------------------- seeds, files, learning


def test_the_same_seed_gives_the_same_result(build: Build) -> None:
    outcomes = []
    for seed in (5, 5, 6):
        classifier = build(seed)
        outcomes.append((classifier.predict(PHOTOS[0]).scores, seeded_loss(classifier, seed)))
    assert np.array_equal(outcomes[0][0], outcomes[1][0])
    assert outcomes[0][1] == outcomes[1][1]
    assert not np.array_equal(outcomes[0][0], outcomes[2][0])
    assert outcomes[0][1] != outcomes[2][1]


def test_a_saved_and_loaded_model_is_equal(classifier: Classifier, model: str, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    save_checkpoint(path, classifier.state_dict(), CheckpointMetadata(model, asdict(classifier.config)))
    loaded = load_model(path, "cpu")
    assert isinstance(loaded, Classifier)
    assert loaded.config == classifier.config
    assert not loaded.training
    for one, expected in zip(loaded.predict(PHOTOS), classifier.predict(PHOTOS), strict=True):
        assert_same(one, expected)


def test_renamed_classes_survive(build: Build, model: str, tmp_path: Path) -> None:
    names = ('"quoted", and comma', "Ünï", "class 3")
    classifier, path = build(class_names=names), tmp_path / "best.safetensors"
    save_checkpoint(path, classifier.state_dict(), CheckpointMetadata(model, asdict(classifier.config)))
    found = load_model(path, "cpu").predict(PHOTOS[0])
    assert found.class_names == names
    assert found.name in names


def test_the_config_is_frozen(classifier: Classifier) -> None:
    with pytest.raises(FrozenInstanceError):
        classifier.config.shorter_side = 1


def learn(classifier: Classifier, steps: int) -> None:
    """Train on `PHOTOS`."""
    classifier.freeze(1)
    parameters = list(trainable(classifier).values())
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    for step in range(steps):
        optimizer.zero_grad()
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - step / steps)
        torch.stack(list(classifier.loss(PHOTOS, TARGETS).values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 10)
        optimizer.step()


def test_it_overfits_a_few_photos(build: Build) -> None:
    classifier = build()
    learn(classifier, steps=40)
    found = classifier.predict(PHOTOS)
    assert [one.name for one in found] == list(CLASSES)
    assert min(one.score for one in found) > 0.6
