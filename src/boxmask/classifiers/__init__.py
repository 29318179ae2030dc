"""Classifiers: what a photo as a whole shows."""
