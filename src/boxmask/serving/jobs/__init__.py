"""Trainings, comparisons and forecasts: commands that run one after the other in processes of their own."""
