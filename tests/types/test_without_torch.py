"""The results need numpy alone."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys

for name in ("torch", "jaxtyping", "numba", "scipy"):
    sys.modules[name] = None  # importing it fails

import numpy as np
from boxmask.types import Classification, Detections, SegmentationMap

scores = np.array([0.9, 0.4], dtype=np.float32)
found = Detections(np.ones((2, 4), dtype=np.float32), scores, np.array([0, 1]), ("cat", "dog"), (20, 30))
print(found.filter(names="cat"), found == found[:], found[1].name)
print(SegmentationMap(np.zeros((2, 3), dtype=np.uint8), ("road",)).filter(names="road"))
print(Classification(np.array([0.25, 0.75], dtype=np.float32), ("cat", "dog")))
"""


def test_results_need_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Detections(1 in 30x20 pixels: 1 cat; scores 0.90 to 0.90) True dog",
        "SegmentationMap(3x2 pixels: road 100.0%)",
        "Classification(dog 0.75, cat 0.25)",
    ]
