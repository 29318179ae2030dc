"""Metrics for label maps."""
