"""The detectors, one file a paper."""
