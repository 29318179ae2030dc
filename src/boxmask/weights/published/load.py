"""Load published weights by name into our networks."""

from __future__ import annotations

from typing import cast

import torch

from boxmask.errors import WeightsError
from boxmask.models.table import AnyModel
from boxmask.pipeline.device import resolve_device
from boxmask.weights.published.fetch import fetch_weights
from boxmask.weights.published.manifest import find_weights
from boxmask.weights.state_dict import read_state_dict
from boxmask.weights.torchvision.convert import from_torchvision


def load_published(name: str, device: str | torch.device = "auto") -> AnyModel:
    """The network of published weights, with the classes that they were trained on, in evaluation mode.

    The file is downloaded unless it is on this machine.
    Raises WeightsError for an unknown name, for a backbone, and if the weights cannot be downloaded or read;
    UsageError for a device that this machine does not have.
    """
    target, weights = resolve_device(device), find_weights(name)
    if not weights.model:
        raise WeightsError(
            f"{name}: these are the weights of a backbone, which finds nothing by itself. Train with it: "
            f"boxmask train DATA --backbone {weights.network}."
        )
    state = read_state_dict(fetch_weights(name))
    model = from_torchvision(weights.network, state, batch_norm_eps=weights.batch_norm_eps)
    return cast(AnyModel, model).to(target).eval()
