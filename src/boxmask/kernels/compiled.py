"""How the loops of this room are compiled: by numba, without Python's lock, kept on disk.

Nothing is compiled at import, only at the first call with a new element type (float32 or float64), which
takes a few seconds. The machine code is then kept beside the source in `__pycache__`, or, where that
folder cannot be written, in the user's cache folder, or in `NUMBA_CACHE_DIR` if that is set; every later
process loads it in milliseconds. Where none of them can be written there is a warning and each process
compiles for itself.

numba only looks at a function's own file to tell whether its cached code is stale, so a loop and everything
that it calls stand in one file, or the file names the digest of the other (`registers`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """Compile with IEEE arithmetic as written: used where a rounding decides (which pixel, which box)."""
    return _compile(loop, fastmath=False)


def compiled_fused(loop: Loop) -> Loop:
    """Compile with multiply and add fused into one instruction; order of sums, NaN and infinity are kept."""
    return _compile(loop, fastmath={"contract"})


def _compile(loop: Loop, fastmath: bool | set[str]) -> Loop:
    # error_model: 0/0 is NaN as in C, not an exception with its branch in every loop
    try:
        return njit(nogil=True, cache=True, error_model="numpy", fastmath=fastmath)(loop)  # type: ignore[no-any-return]
    except RuntimeError as error:  # numba finds no folder that it can write to
        message = f"{error}; compiled anew in every process. Set NUMBA_CACHE_DIR to a writable folder."
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return njit(nogil=True, error_model="numpy", fastmath=fastmath)(loop)  # type: ignore[no-any-return]
