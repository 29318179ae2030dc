"""Where the numbers of a network come from and go to."""

from boxmask.weights.torchvision.convert import from_torchvision

__all__ = ["from_torchvision"]
