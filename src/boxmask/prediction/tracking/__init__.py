"""Tracking: which detections of several frames are the same object."""
