"""The range of each tensor on the calibration photos, and the 8-bit numbers that cover it.

A value x is stored as round(x / scale) + zero_point, limited to 0..255. Jacob et al. 2017 (arXiv:1712.05877),
section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from jaxtyping import Float

from boxmask.exporting.int8.predictor import Feeds, Predictor
from boxmask.exporting.int8.probes import with_probes

LEVELS = 255
SHARES = np.linspace(1.0, 0.5, 21)  # of the range that are tried


class Scale(NamedTuple):
    """How a tensor is stored in 8 bits without a sign."""

    scale: np.float32
    zero_point: np.uint8

    def rounded(self, values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        """The nearest values that 8 bits can hold."""
        levels = np.clip(np.rint(values / self.scale) + self.zero_point, 0, LEVELS)
        return np.asarray((levels - self.zero_point) * self.scale, dtype=np.float32)


def scale_of(low: float, high: float) -> Scale:
    """Cover a range, and 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32(max((high - low) / LEVELS, 1e-30)) if high > low else np.float32(1.0)
    return Scale(scale, np.uint8(np.clip(np.rint(-low / scale), 0, LEVELS)))


def best_scale(low: float, high: float, samples: Float[np.ndarray, " N"]) -> Scale:
    """The scale with the least squared error on samples: rare large values may be limited."""
    tried = [scale_of(low * share, high * share) for share in SHARES]
    errors = [float(np.square(scale.rounded(samples) - samples).sum()) for scale in tried]
    return tried[int(np.argmin(errors))]


def measure_scales(
    model: onnx.ModelProto, tensors: Iterable[str], photos: Iterable[Feeds]
) -> dict[str, Scale]:
    """The scale of each tensor, from photos that go through the whole file."""
    copy, outputs = with_probes(model, tensors)
    predictor = Predictor(copy)
    found: dict[str, list[Float[np.ndarray, " N"]]] = {name: [] for name in outputs}
    for feeds in photos:
        values = predictor.run(feeds, list(outputs.values()))
        for name, output in outputs.items():
            found[name].extend(np.atleast_2d(values[output]))
    return {name: _scale(rows) for name, rows in found.items()}


def _scale(rows: Sequence[Float[np.ndarray, " N"]]) -> Scale:
    """From the lowest and the highest value of each photo, which come first, and its samples.

    There are no rows for a tensor that no photo reaches, for example without proposals.
    """
    if not rows:
        return scale_of(0.0, 0.0)
    low, high = min(float(row[0]) for row in rows), max(float(row[1]) for row in rows)
    return best_scale(low, high, np.concatenate([row[2:] for row in rows]))
