"""The parts of the classifier; tests/contract tests the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest
import torch
from torch import Tensor

from boxmask.classifiers.classifier import PRESETS, ClassifierConfig, ImageClassifier
from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.errors import UsageError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.types import ClassificationTarget
from boxmask.weights.imagenet import backbone_weights

Build = Callable[..., ImageClassifier]
Paint = Callable[..., Tensor]


# ---------------------------------------------------------------- predict


def test_pooling_leaves_the_padding_out(classifier: ImageClassifier) -> None:
    maps = torch.full((2, 3, 2, 2), 100.0)
    maps[0, :, :1] = torch.tensor([1.0, 3.0])  # a photo of 20 x 64 covers the upper row only
    maps[1, :, :, :1] = torch.tensor([[5.0], [7.0]])  # a photo of 33 x 32 covers the left column only
    pooled = classifier.pool(maps, torch.tensor([[20, 64], [33, 32]]))
    assert pooled.tolist() == [[2.0] * 3, [6.0] * 3]
    assert torch.equal(classifier.pool(maps, None), maps.mean(dim=(2, 3)))


def test_forward_gives_the_logits_of_photos_without_padding(
    classifier: ImageClassifier, paint: Paint
) -> None:
    photo = paint(1, (64, 64))
    logits = classifier(classifier.prepare([photo]).pixels)
    assert logits.shape == (1, 3)
    scores = torch.from_numpy(classifier.predict(photo).scores)
    torch.testing.assert_close(logits.softmax(dim=1)[0], scores)


def test_photos_keep_their_aspect_ratio(classifier: ImageClassifier, paint: Paint) -> None:
    batch = classifier.prepare([paint(0, (30, 60)), paint(0, (300, 100))])
    assert batch.pixels.shape == (2, 3, 64, 64)
    assert batch.sizes == [(32, 64), (64, 21)]


# ---------------------------------------------------------------- loss


def test_the_loss_is_the_cross_entropy_with_label_smoothing(build: Build, paint: Paint) -> None:
    classifier, photo = build(dropout=0.0, label_smoothing=0.3), paint(1, (64, 64))
    log = torch.from_numpy(classifier.predict(photo).scores).log()
    expected = -(0.7 * log[2] + 0.3 * log.mean())
    losses = classifier.loss([photo], [ClassificationTarget(2)])
    assert list(losses) == ["class"]
    assert losses["class"].shape == ()
    assert losses["class"].item() == pytest.approx(float(expected), rel=1e-4)


def test_dropout_is_random(build: Build, paint: Paint) -> None:
    classifier = build(dropout=0.5)
    losses = {classifier.loss([paint(0)], [ClassificationTarget(0)])["class"].item() for _ in range(4)}
    assert len(losses) > 1


def test_it_overfits_three_photos_from_random_weights(build: Build, paint: Paint) -> None:
    """It recognizes the colors with other noise and in another shape."""
    classifier = build()
    photos = [paint(label) for label in range(3)]
    targets = [ClassificationTarget(label) for label in range(3)]
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        classifier.loss(photos, targets)["class"].backward()
        optimizer.step()
    found = classifier.predict([paint(label, (80, 40), seed=7) for label in range(3)])
    assert [one.name for one in found] == list(classifier.config.class_names)
    assert min(one.score for one in found) > 0.6


# ---------------------------------------------------------------- config and keys


def test_a_single_class_has_score_1(build: Build, paint: Paint) -> None:
    assert build(class_names=("thing",)).predict(paint(0)).top(3) == [("thing", 1.0)]


def test_the_config_round_trips(classifier: ImageClassifier) -> None:
    assert ClassifierConfig(**asdict(classifier.config)) == classifier.config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shorter_side": 100, "longer_side": 90}, "shorter_side 100, longer_side 90"),
        ({"shorter_side": 0}, "shorter_side 0"),
        ({"dropout": 1.0}, "dropout: expected 0 or more and below 1, found 1.0"),
        ({"label_smoothing": -0.1}, "label_smoothing: expected 0 or more and below 1, found -0.1"),
    ],
)
def test_invalid_hyperparameters(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ClassifierConfig(("a", "b"), **options)  # type: ignore[arg-type]


def test_photos_are_padded_to_the_longer_side() -> None:
    """`--size` sets both sides."""
    assert ClassifierConfig(("a",), shorter_side=200, longer_side=200).multiple_of == 200


def test_every_preset_builds() -> None:
    row = CLASSIFIERS["classifier"]
    for preset in PRESETS:
        config = row.config(class_names=("a", "b"), **{**row.presets[preset], "backbone": "test_resnet"})
        assert isinstance(row.build(config, None), ImageClassifier)
    assert row.config(("a",), **row.presets["imagenet"]).longer_side == 224


def test_imagenet_weights_are_loaded() -> None:
    name = "tf_efficientnet_lite0"
    weights = backbone_weights(name)
    classifier = ImageClassifier(ClassifierConfig(("a", "b")), weights)
    expected = Backbone(name, (32,), weights).state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in classifier.backbone.state_dict().items())


@pytest.mark.parametrize("name", ["test_resnet", "tf_efficientnet_lite0", "mobilenetv3_small_100"])
def test_the_backbone_has_the_keys_of_the_detectors_backbone(name: str) -> None:
    """So that its weights can be transferred."""

    def shapes(model: torch.nn.Module) -> dict[str, torch.Size]:
        return {key: x.shape for key, x in model.state_dict().items() if key.startswith("backbone.")}

    assert shapes(ImageClassifier(ClassifierConfig(("a",), name))) == shapes(
        FasterRCNN(FasterRCNNConfig(("a",), name))
    )
