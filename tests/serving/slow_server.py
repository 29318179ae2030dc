"""A program: a server whose model takes the given seconds per photo. Used by test_server.py."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from boxmask.serving.models import ServedModel
from boxmask.serving.options import ServeOptions
from boxmask.serving.server import Listening, serve_models
from boxmask.types import Detections


class SlowDetector:
    """Finds nothing, slowly."""

    propose = None

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def predict(self, pixels: Any) -> Detections:
        """No objects."""
        sys.stdout.write("predicting\n")
        sys.stdout.flush()
        time.sleep(self._seconds)
        empty = np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        return Detections(*empty, ("cat",), pixels.shape[:2])


def show(listening: Listening) -> None:
    """Print what the test needs, on a line each."""
    sys.stdout.write(f"{listening.url} {listening.new_token or '-'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    seconds, queue, host = sys.argv[1:]
    model = ServedModel("slow", "ssd", "detection", "onnx", ("cat",), SlowDetector(float(seconds)))
    limit = int(queue)
    serve_models([model], ServeOptions(host=host, port=0, queue=limit, max_photos=min(limit, 16)), show)
    sys.stdout.write("ended\n")
