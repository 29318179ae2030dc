"""Labeled photos: reading, checking, splitting, augmentation, and the demo data set."""
