"""Draw detections and label maps on photos."""
