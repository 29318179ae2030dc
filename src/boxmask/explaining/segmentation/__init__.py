"""Segmenters, stage by stage."""
