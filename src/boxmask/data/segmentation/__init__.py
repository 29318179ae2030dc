"""Segmentation data sets: photos with a class for every pixel."""
