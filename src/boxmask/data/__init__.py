"""Labeled photos: reading, splitting, augmenting, and the demo's own."""
