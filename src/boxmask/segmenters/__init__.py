"""Semantic segmentation: one file per paper."""
