"""Checks of labels and splits. Each adds what it finds to a `Findings`; none opens a photo."""
