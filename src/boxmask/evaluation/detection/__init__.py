"""Metrics for boxes and instance masks."""
