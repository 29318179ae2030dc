"""How a box moves: a Kalman filter with constant velocity.

The state is the center, width and height of a box, and their velocities, with the noise of BoT-SORT
(arXiv:2206.14651, section 3.1), which scales with the size of the box. All covariances of that filter are
diagonal but for each coordinate and its velocity, so that it is exactly four filters of two numbers. They are
computed side by side, as arrays of four.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Four = Float[np.ndarray, " 4"]  # of the center's x, its y, the width and the height

POSITION_STD = (
    1 / 20
)  # of one measurement and of one frame's change, per width or height (DeepSORT, BoT-SORT)
VELOCITY_STD = 1 / 80  # twice theirs: objects may turn faster than pedestrians
FIRST_POSITION_STD, FIRST_VELOCITY_STD = 2 * POSITION_STD, 10 * VELOCITY_STD
MIN_SIDE = 1e-3  # pixels; keeps the noise of a box without area above zero


class BoxMotion:
    """The position and the velocity of one box, in pixels and pixels per frame.

    The variances of both, and their covariance, follow the equations of the Kalman filter.
    """

    def __init__(self, box: Four) -> None:
        self.position = _center_and_size(box)
        self.velocity = np.zeros(4)
        scale = self._scale()
        self.position_variance = (FIRST_POSITION_STD * scale) ** 2
        self.velocity_variance = (FIRST_VELOCITY_STD * scale) ** 2
        self.covariance = np.zeros(4)

    @property
    def box(self) -> Four:
        """The estimated box, xyxy."""
        center, size = self.position[:2], np.maximum(self.position[2:], 0)
        return np.concatenate([center - size / 2, center + size / 2])

    def predict(self, frames: float = 1.0) -> None:
        """Move on by a number of frames, which may be a fraction."""
        scale = self._scale()
        self.position = self.position + frames * self.velocity
        self.position_variance = (
            self.position_variance
            + frames * (2 * self.covariance + frames * self.velocity_variance)
            + frames * (POSITION_STD * scale) ** 2
        )
        self.covariance = self.covariance + frames * self.velocity_variance
        self.velocity_variance = self.velocity_variance + frames * (VELOCITY_STD * scale) ** 2

    def update(self, box: Four) -> None:
        """Correct the state by a detected box, xyxy."""
        scale = self._scale()
        total_variance = self.position_variance + (POSITION_STD * scale) ** 2
        position_gain, velocity_gain = (
            self.position_variance / total_variance,
            self.covariance / total_variance,
        )
        surprise = _center_and_size(box) - self.position
        self.position = self.position + position_gain * surprise
        self.velocity = self.velocity + velocity_gain * surprise
        self.velocity_variance = self.velocity_variance - velocity_gain * self.covariance
        self.covariance = (1 - position_gain) * self.covariance
        self.position_variance = (1 - position_gain) * self.position_variance

    def keep_size(self) -> None:
        """Stop growing or shrinking, as for an object that is out of sight."""
        self.velocity[2:] = 0

    def _scale(self) -> Four:
        size = np.maximum(self.position[2:], MIN_SIDE)
        return np.concatenate([size, size])


def _center_and_size(box: Four) -> Four:
    corner, opposite = np.asarray(box[:2], np.float64), np.asarray(box[2:], np.float64)
    return np.concatenate([(corner + opposite) / 2, opposite - corner])
