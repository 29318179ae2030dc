"""Weights: checkpoints, pretrained backbones, transfer between networks, and torchvision's weights."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boxmask.weights.torchvision.convert import from_torchvision

__all__ = ["from_torchvision"]


def __getattr__(name: str) -> object:
    """Import `from_torchvision` on first use: importing one module here must not import all models."""
    if name == "from_torchvision":
        return import_module("boxmask.weights.torchvision.convert").from_torchvision
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
