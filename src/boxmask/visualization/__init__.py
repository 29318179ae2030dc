"""Drawing boxes, masks and label maps on photos."""
