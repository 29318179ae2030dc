"""Results that are kept for the next stage and the next step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import torch

ResultT = TypeVar("ResultT")


class Kept(Generic[ResultT]):
    """The last result of a function, for calls with the same key: sizes and a device.

    Boxes and points are the same for all photos of a size. A GPU would be asked for them at each step.
    """

    def __init__(self) -> None:
        self.last: tuple[object, ResultT] | None = None

    def get(self, key: object, make: Callable[[], ResultT]) -> ResultT:
        """Return the last result if it was for this key; otherwise make and keep another."""
        complete = (key, torch.is_inference_mode_enabled())  # tensors of inference mode have no gradient
        last = self.last
        if last is None or last[0] != complete:
            last = self.last = (complete, make())
        return last[1]
