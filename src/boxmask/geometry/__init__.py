"""Pure tensor functions: boxes, deltas, anchors, matching."""
