"""Objects with holes, separate parts and no outline at all."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from boxmask.masks import Masks
from boxmask.types import Detections


@pytest.fixture
def outlined() -> Detections:
    """Four objects in a photo of 60 x 80: a ring, one in two parts that covers it, a box alone, a dot."""
    dense = np.zeros((4, 60, 80), bool)
    dense[0, 10:40, 20:50] = True
    dense[0, 20:30, 30:40] = False
    dense[1, 35:50, 45:60] = True
    dense[1, 52:58, 5:9] = True
    dense[3, 59, 79] = True
    boxes = [(20, 10, 50, 40), (5, 35, 60, 58), (1.5, 2.25, 9, 8), (79, 59, 80, 60)]
    return Detections(
        torch.tensor(boxes, dtype=torch.float32),
        torch.tensor([0.9, 0.8, 0.7, 0.6]),
        torch.tensor([1, 0, 1, 1]),
        ("chat noir", "犬"),
        (60, 80),
        Masks.from_dense(dense),
    )
