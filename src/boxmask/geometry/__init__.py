"""Pure functions on boxes: overlaps, deltas, anchors, points, matching, and run-length encoded masks."""
