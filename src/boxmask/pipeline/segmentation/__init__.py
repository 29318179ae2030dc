"""Stages shared by the segmenters: blocks, inference, tiling and losses."""
