"""Short decimal numbers for text files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shortest(number: np.floating[Any] | NDArray[Any]) -> float:
    """The shortest decimal that rounds to the same float32: 0.9, not 0.8999999761581421."""
    return float(str(np.float32(number)))
