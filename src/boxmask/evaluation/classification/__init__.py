"""Metrics for classifiers."""
