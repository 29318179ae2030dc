"""Correct the objects of a photo in its label file, and leave the rest of the file as it is."""
