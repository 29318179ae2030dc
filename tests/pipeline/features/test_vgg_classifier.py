"""fc6 and fc7 of a pretrained VGG, as linear layers and as convolutions."""

import torch
from torch import Tensor, nn

from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier, vgg_layer

WEIGHTS = {
    "pre_logits.fc1.weight": torch.arange(36.0).reshape(2, 2, 3, 3),
    "pre_logits.fc1.bias": torch.tensor([1.0, 2.0]),
    "pre_logits.fc2.weight": torch.arange(4.0).reshape(2, 2, 1, 1),
    "pre_logits.fc2.bias": torch.tensor([3.0, 4.0]),
}


def assert_vgg(fc6: nn.Linear | nn.Conv2d, fc7: nn.Linear | nn.Conv2d) -> None:
    for layer, key in ((fc6, "pre_logits.fc1"), (fc7, "pre_logits.fc2")):
        assert torch.equal(layer.weight.flatten(), WEIGHTS[f"{key}.weight"].flatten())
        assert layer.bias is not None
        assert torch.equal(layer.bias, WEIGHTS[f"{key}.bias"])


def test_linear_layers_and_convolutions_get_the_same_weights() -> None:
    linear = (nn.Linear(18, 2), nn.Linear(2, 2))
    convolutions = (nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 1))
    for layers in (linear, convolutions):
        load_vgg_classifier(layers, WEIGHTS)
        assert_vgg(*layers)


def test_other_modules_and_layers_of_other_sizes_keep_their_weights() -> None:
    smaller, fc7 = nn.Linear(8, 2), nn.Linear(2, 2)
    before = smaller.weight.clone()
    load_vgg_classifier((smaller, fc7), WEIGHTS)
    assert torch.equal(smaller.weight, before)
    assert torch.equal(fc7.bias, WEIGHTS["pre_logits.fc2.bias"])
    load_vgg_classifier((nn.Identity(), nn.Identity()), WEIGHTS)


def test_a_convolution_without_bias_gets_the_weight() -> None:
    conv = nn.Conv2d(2, 2, 3, bias=False)
    load_vgg_classifier((conv,), WEIGHTS)
    assert torch.equal(conv.weight, WEIGHTS["pre_logits.fc1.weight"])


def test_other_backbones_have_no_such_layers() -> None:
    nothing: dict[str, Tensor] = {}
    assert vgg_layer(nothing, "fc6", (2, 18)) is None
    assert vgg_layer(WEIGHTS, "fc6", (2, 17)) is None
    layer = nn.Linear(18, 2)
    before = layer.weight.clone()
    load_vgg_classifier((layer,), None)
    assert torch.equal(layer.weight, before)
