"""Detectors, stage by stage."""
