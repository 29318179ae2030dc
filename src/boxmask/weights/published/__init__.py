"""Weights that others published, by name: torchvision's networks and timm's backbones."""
