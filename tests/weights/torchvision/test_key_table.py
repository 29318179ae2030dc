"""Renaming keys and folding batch norms."""

import pytest
import torch
from torch import nn

from boxmask.errors import WeightsError
from boxmask.weights.torchvision.key_table import fold_norms, load_heads, rename, split_backbone


def test_keys_are_renamed_at_their_start_only() -> None:
    one, two = torch.ones(1), torch.zeros(1)
    renamed = rename({"head.0.weight": one, "body.head.0.bias": two}, {r"head\.(\d)\.": r"tower.\1."})
    assert renamed == {"tower.0.weight": one, "body.head.0.bias": two}


@pytest.mark.parametrize(("eps", "shift"), [(None, 0.0), (1e-5, 0.0), (0.0, -1e-5)])
def test_the_backbone_is_split_off_and_its_variance_shifted(eps: float | None, shift: float) -> None:
    state = {"backbone.body.bn1.running_var": torch.ones(2), "rpn.head.conv.bias": torch.zeros(3)}
    backbone, heads = split_backbone(state, eps)
    torch.testing.assert_close(backbone["bn1.running_var"], torch.ones(2) + shift)
    assert list(heads) == ["rpn.head.conv.bias"]


@torch.no_grad()
def test_a_folded_norm_computes_the_same() -> None:
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4).eval()
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    both = nn.Sequential(conv, norm)
    folded = fold_norms({f"a.{key}": tensor for key, tensor in both.state_dict().items()}, None)
    assert set(folded) == {"a.0.weight", "a.0.bias"}
    x = torch.randn(2, 3, 5, 5)
    found = torch.nn.functional.conv2d(x, folded["a.0.weight"], folded["a.0.bias"])
    torch.testing.assert_close(found, both(x))


def test_missing_unknown_and_misshapen_tensors_are_named() -> None:
    state = nn.Linear(2, 3).state_dict()
    assert not load_heads(nn.Linear(2, 3), state, "x").training
    with pytest.raises(WeightsError, match=r"torchvision's x: \['bias'\]"):
        load_heads(nn.Linear(2, 3), {"weight": state["weight"]}, "x")
    with pytest.raises(WeightsError, match=r"torchvision's x: \['odd'\]"):
        load_heads(nn.Linear(2, 3), {**state, "odd": torch.ones(1)}, "x")
    with pytest.raises(WeightsError, match=r"torchvision's x: (.|\n)*size mismatch"):
        load_heads(nn.Linear(2, 4), state, "x")
