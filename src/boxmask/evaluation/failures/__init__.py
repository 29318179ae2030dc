"""What failed in an evaluation, for all tasks: confused classes, calibration, and the worst photos."""
