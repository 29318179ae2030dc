"""Panoptic quality, and merging instances and label maps into one panoptic map."""
