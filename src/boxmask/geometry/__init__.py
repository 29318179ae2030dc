"""Pure tensor functions: boxes, anchors, points, matching, run lengths."""
