"""How long-running functions report their progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each item with the number of items done and of all items. Items are photos by default."""
