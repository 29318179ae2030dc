"""torchvision's weights in boxmask's networks."""
