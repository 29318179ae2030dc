"""Detections of other tools, as COCO JSON."""
