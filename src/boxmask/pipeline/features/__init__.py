"""From pixels to the maps that detectors read, and to RoI features."""
