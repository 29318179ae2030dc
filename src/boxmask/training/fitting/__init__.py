"""The network fitted to the training photos and to the time: photo size, pyramid levels and anchors."""
