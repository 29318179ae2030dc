"""Parameter groups of the optimizer: the backbone learns more slowly, and biases have no weight decay."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from boxmask.runs.recipe import Recipe


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return AdamW or SGD over all parameters that are not frozen; each group has its own `base_lr`."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            in_backbone = "backbone" in name.split(".")  # also matches the backbone of a nested detector
            groups.setdefault((in_backbone, parameter.ndim > 1), []).append(parameter)
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


def set_learning_rate(optimizer: torch.optim.Optimizer, fraction: float) -> float:
    """Set every group's learning rate to `fraction` of its `base_lr`, and return the highest."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * fraction
    return max((float(group["lr"]) for group in optimizer.param_groups), default=0.0)


def make_average(network: nn.Module, decay: float, first_updates: int = 0) -> AveragedModel:
    """Return an exponential moving average of the network's weights and of its batch norms' statistics.

    Each update computes average = keep * average + (1 - keep) * latest. After t updates, keep is
    min(decay, (1 + t) / (10 + t)), as in TensorFlow's ExponentialMovingAverage, so that the average follows
    the first, large changes quickly.

    first_updates: what t begins with. Trained weights should not be forgotten after the first few updates

    Statistics are averaged as in torchvision's training references: those of the latest weights do not fit
    averaged weights. Whole numbers, such as a count of batches, are copied.
    """
    average = MovingAverage(network, use_buffers=True)
    average.decay = decay
    average.n_averaged = average.n_averaged.cpu() + first_updates  # no wait for a GPU to read it
    return average


class MovingAverage(AveragedModel):
    """See `make_average`."""

    decay: float

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Move the average towards the latest weights.

        PyTorch's own function copies the count of updates to a GPU and waits for it.
        """
        count = int(self.n_averaged)
        moved: list[tuple[torch.Tensor, torch.Tensor]] = []
        copied: list[tuple[torch.Tensor, torch.Tensor]] = []
        for pair in zip(_weights_and_buffers(self.module), _weights_and_buffers(model), strict=True):
            (moved if count and pair[0].is_floating_point() else copied).append(pair)
        for average, latest in copied:
            average.copy_(latest)
        if moved:
            keep = min(self.decay, (1 + count) / (10 + count))
            averages, targets = (list(column) for column in zip(*moved, strict=True))
            get_ema_multi_avg_fn(keep)(averages, targets, count)
        self.n_averaged += 1


def _weights_and_buffers(network: nn.Module) -> Iterator[torch.Tensor]:
    """The tensors of the network without their graph."""
    return (tensor.detach() for tensor in chain(network.parameters(), network.buffers()))
