"""How predictions on videos report their progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

FrameProgress: TypeAlias = Callable[[int, int | None], None]
"""Called after each frame with the number of frames done, and of all frames; None if that is not known."""
