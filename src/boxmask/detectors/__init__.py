"""Detectors: one file per paper, in the same sections; their presets, and the table that lists them."""
