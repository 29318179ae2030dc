"""torchvision's weights under boxmask's names."""
