"""What is asked of detectors, asked of the classifier as far as it applies; and what is its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from boxmask.classifiers.classifier import PRESETS, ClassifierConfig, ImageClassifier
from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.errors import UsageError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.types import Classification, ClassificationTarget
from boxmask.weights.imagenet import backbone_weights

Build = Callable[..., ImageClassifier]
Paint = Callable[..., Tensor]


def assert_same(found: Classification, expected: Classification, tolerance: float = 0.0) -> None:
    assert found.class_names == expected.class_names
    torch.testing.assert_close(found.scores, expected.scores, rtol=0, atol=tolerance)


# ---------------------------------------------------------------- predict


def test_n_in_n_out(classifier: ImageClassifier, paint: Paint) -> None:
    found = classifier.predict([paint(0), paint(1, (90, 20)), paint(2, (7, 300))])
    assert [type(one) for one in found] == [Classification] * 3
    for one in found:
        assert one.scores.dtype == torch.float32
        assert one.class_names == classifier.config.class_names
        assert float(one.scores.sum()) == pytest.approx(1)
    assert not torch.equal(found[0].scores, found[1].scores)


def test_an_empty_list(classifier: ImageClassifier) -> None:
    assert classifier.predict([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2, 3), (3000, 4000), (4000, 60)])
def test_photos_of_any_size(classifier: ImageClassifier, size: tuple[int, int]) -> None:
    photo = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    assert classifier.predict(photo).scores.isfinite().all()


def test_path_pil_array_and_tensor_are_one_photo(
    classifier: ImageClassifier, paint: Paint, tmp_path: Path
) -> None:
    photo = paint(0)
    array = photo.permute(1, 2, 0).numpy()
    Image.fromarray(array).save(tmp_path / "photo.png")
    expected = classifier.predict(photo)
    for same in (tmp_path / "photo.png", str(tmp_path / "photo.png"), array, np.ascontiguousarray(array)):
        assert_same(classifier.predict(same), expected, 1e-4)


def test_gray_and_transparent_photos(classifier: ImageClassifier, paint: Paint) -> None:
    photo = paint(0)
    gray = photo[:1]
    assert_same(classifier.predict(gray), classifier.predict(gray.repeat(3, 1, 1)))
    opaque = torch.cat([photo, torch.full_like(gray, 255)])
    assert_same(classifier.predict(opaque), classifier.predict(photo))


def test_neighbors_in_a_batch_have_no_say(classifier: ImageClassifier, paint: Paint) -> None:
    """Whatever their shapes: all are padded to the same square."""
    photos = [paint(0, (40, 80)), paint(1, (80, 20)), paint(2, (64, 64))]
    for one, photo in zip(classifier.predict(photos), photos, strict=True):
        assert_same(one, classifier.predict(photo), 1e-5)


def test_the_mean_leaves_the_padding_out(classifier: ImageClassifier) -> None:
    maps = torch.full((2, 3, 2, 2), 100.0)
    maps[0, :, :1] = torch.tensor([1.0, 3.0])  # a photo of 20 x 64 reaches into the upper row alone
    maps[1, :, :, :1] = torch.tensor([[5.0], [7.0]])  # of 33 x 32: into the left column
    pooled = classifier.pool(maps, torch.tensor([[20, 64], [33, 32]]))
    assert pooled.tolist() == [[2.0] * 3, [6.0] * 3]
    assert torch.equal(classifier.pool(maps, None), maps.mean(dim=(2, 3)))


def test_forward_is_the_network_for_photos_that_fill_the_square(
    classifier: ImageClassifier, paint: Paint
) -> None:
    photo = paint(1, (64, 64))
    logits = classifier(classifier.prepare([photo]).pixels)
    assert logits.shape == (1, 3)
    torch.testing.assert_close(logits.softmax(dim=1)[0], classifier.predict(photo).scores)


def test_photos_are_not_squeezed(classifier: ImageClassifier, paint: Paint) -> None:
    batch = classifier.prepare([paint(0, (30, 60)), paint(0, (300, 100))])
    assert batch.pixels.shape == (2, 3, 64, 64)
    assert batch.sizes == [(32, 64), (64, 21)]


def test_the_mode_changes_nothing(build: Build, paint: Paint) -> None:
    """Not even that dropout is a part of the loss, and never of what is predicted."""
    classifier, photo, results = build(), paint(0), []
    expected = classifier.predict(photo)
    for training in (True, False):
        classifier.train(training)
        torch.manual_seed(3)
        results.append(classifier.loss([photo], [ClassificationTarget(0)])["class"].item())
        assert_same(classifier.predict(photo), expected)
    assert results[0] == results[1]


# ---------------------------------------------------------------- loss


def test_the_loss_is_the_smoothed_log_loss(build: Build, paint: Paint) -> None:
    classifier, photo = build(dropout=0.0, label_smoothing=0.3), paint(1, (64, 64))
    log = classifier.predict(photo).scores.log()
    expected = -(0.7 * log[2] + 0.3 * log.mean())
    losses = classifier.loss([photo], [ClassificationTarget(2)])
    assert list(losses) == ["class"]
    assert losses["class"].shape == ()
    assert losses["class"].item() == pytest.approx(float(expected), rel=1e-4)


def test_dropout_drops(build: Build, paint: Paint) -> None:
    classifier = build(dropout=0.5)
    losses = {classifier.loss([paint(0)], [ClassificationTarget(0)])["class"].item() for _ in range(4)}
    assert len(losses) > 1


def test_every_trained_parameter_learns(build: Build, paint: Paint) -> None:
    classifier = build(backbone="tf_efficientnet_lite0")
    classifier.freeze(1)
    classifier.loss([paint(0), paint(1)], [ClassificationTarget(0), ClassificationTarget(1)])[
        "class"
    ].backward()
    trained = {name: p for name, p in classifier.named_parameters() if p.requires_grad}
    assert [name for name, p in trained.items() if p.grad is None or not p.grad.any()] == []
    frozen = [name for name, p in classifier.named_parameters() if not p.requires_grad]
    assert frozen
    assert all(name.startswith("backbone.") for name in frozen)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (1500, 20)])
def test_losses_of_photos_of_any_size(build: Build, size: tuple[int, int]) -> None:
    loss = build().loss([torch.zeros(3, *size, dtype=torch.uint8)], [ClassificationTarget(1)])["class"]
    assert math.isfinite(loss.item())


def test_it_learns_three_photos_by_heart(build: Build, paint: Paint) -> None:
    classifier = build()
    photos, targets = (
        [paint(label) for label in range(3)],
        [ClassificationTarget(label) for label in range(3)],
    )
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        classifier.loss(photos, targets)["class"].backward()
        optimizer.step()
    found = classifier.predict([paint(label, (80, 40), seed=7) for label in range(3)])
    assert [one.name for one in found] == list(classifier.config.class_names)
    assert min(one.score for one in found) > 0.6


# ---------------------------------------------------------------- numbers and keys


def test_one_class_is_enough_to_be_built(build: Build, paint: Paint) -> None:
    assert build(class_names=("thing",)).predict(paint(0)).top(3) == [("thing", 1.0)]


def test_the_config_is_frozen_and_plain(classifier: ImageClassifier) -> None:
    with pytest.raises(FrozenInstanceError):
        classifier.config.shorter_side = 1  # type: ignore[misc]
    assert ClassifierConfig(**asdict(classifier.config)) == classifier.config


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"shorter_side": 100, "longer_side": 90}, "shorter side 100, longer side 90"),
        ({"shorter_side": 0}, "shorter side 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"label_smoothing": -0.1}, "label_smoothing is -0.1"),
    ],
)
def test_numbers_that_cannot_be(numbers: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ClassifierConfig(("a", "b"), **numbers)  # type: ignore[arg-type]


def test_the_square_follows_the_size() -> None:
    """As `--size` replaces both sides."""
    assert ClassifierConfig(("a",), shorter_side=200, longer_side=200).multiple_of == 200


def test_the_row_of_the_table() -> None:
    row = CLASSIFIERS["classifier"]
    for preset in PRESETS:
        config = row.config(class_names=("a", "b"), **{**row.presets[preset], "backbone": "test_resnet"})
        assert isinstance(row.build(config, None), ImageClassifier)
    assert row.config(("a",), **row.presets["imagenet"]).longer_side == 224


def test_imagenet_weights_are_taken() -> None:
    name = "tf_efficientnet_lite0"
    weights = backbone_weights(name)
    classifier = ImageClassifier(ClassifierConfig(("a", "b")), weights)
    expected = Backbone(name, (32,), weights).state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in classifier.backbone.state_dict().items())


@pytest.mark.parametrize("name", ["test_resnet", "tf_efficientnet_lite0", "mobilenetv3_small_100"])
def test_the_backbones_keys_are_the_detectors(name: str) -> None:
    """So that one can be joined into the other."""

    def shapes(model: torch.nn.Module) -> dict[str, torch.Size]:
        return {key: x.shape for key, x in model.state_dict().items() if key.startswith("backbone.")}

    assert shapes(ImageClassifier(ClassifierConfig(("a",), name))) == shapes(
        FasterRCNN(FasterRCNNConfig(("a",), name))
    )
