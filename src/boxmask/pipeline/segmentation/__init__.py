"""What the segmenters share: blocks, inference, tiling and losses."""
