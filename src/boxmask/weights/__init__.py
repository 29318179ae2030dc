"""Where the numbers of a network come from and go to."""

from boxmask.weights.torchvision import from_torchvision

__all__ = ["from_torchvision"]
