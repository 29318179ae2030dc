"""Import many modules quickly."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Within the block, Python does not look for garbage; afterwards, it skips the objects of the block.

    Imports make a million objects and hardly any garbage. Looking through all of them again and again takes a
    fifth of the time that `boxmask predict` needs to start.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
