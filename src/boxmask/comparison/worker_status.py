"""The exit codes of the process of one model."""

STOPPED = 3
"""The training was stopped by a signal and saved."""
