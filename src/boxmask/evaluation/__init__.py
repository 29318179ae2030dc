"""Metrics of models on labeled photos, overall and per class, with confidence intervals."""
