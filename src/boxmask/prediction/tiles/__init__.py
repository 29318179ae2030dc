"""Detect the objects of a large photo in tiles."""
