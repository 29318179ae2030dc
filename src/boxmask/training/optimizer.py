"""The optimizer's groups: the backbone learns slower than the new layers, and biases do not decay."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from boxmask.runs.recipe import Recipe

Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW or SGD over everything that is not frozen; each group has its own `base_lr`."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            key = ("backbone" in name.split("."), parameter.ndim > 1)  # of a detector within, too
            groups.setdefault(key, []).append(parameter)
    settings = [
        {
            "params": parameters,
            "base_lr": recipe.method.learning_rate * (recipe.backbone_lr_mult if in_backbone else 1.0),
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (in_backbone, decays), parameters in groups.items()
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(settings, recipe.method.learning_rate, momentum=0.9)
    return torch.optim.AdamW(settings, recipe.method.learning_rate, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, part: float) -> None:
    """Every group at `part` of its highest rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * part


def average_of(network: nn.Module, decay: float) -> AveragedModel:
    """A running average of the weights; it forgets faster in the beginning, when all is still moving."""

    @torch.no_grad()
    def update(averages: Tensors, current: Tensors, steps: torch.Tensor | int) -> None:
        count = int(steps)
        keep = min(decay, (1 + count) / (10 + count))
        get_ema_multi_avg_fn(keep)(averages, current, steps)

    return AveragedModel(network, multi_avg_fn=update)
