"""boxmask finds things in photos: boxes, outlines, and the class of every pixel.

    import boxmask

    run = boxmask.train("data/", model="faster-rcnn", max_minutes=10)
    detector = boxmask.load(run.folder)
    detections = detector.predict("photo.jpg")

The verbs load what they need when they are first called, so that importing boxmask is quick.
"""

from boxmask.verbs import evaluate, load, predict, train

__version__ = "0.1.0"
__all__ = ["evaluate", "load", "predict", "train"]
