"""Runs: the recipe of a training, and the folder that it writes."""
