"""Compile loops with numba: without Python's global lock, and cached on disk.

A loop is compiled at its first call with a new element type (float32 or float64), not at import; that takes a
few seconds. numba keeps the machine code in `__pycache__` beside the source. If that folder is not writable,
it uses the user's cache folder, or the folder in NUMBA_CACHE_DIR if that is set. Later processes load it in
milliseconds. If no folder is writable, there is a warning, and each process compiles for itself.

numba checks only a function's own file to find out whether its cached code is stale. A loop and everything
that it calls must therefore be in one file, even if that means duplication. The alternative is a digest of
the other file, as in `winograd_loops`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """Compile with exact IEEE arithmetic, for loops in which rounding decides (which pixel, which box)."""
    return _compile(loop, fastmath=False)


def compiled_fused(loop: Loop) -> Loop:
    """Compile with fused multiply-add. The order of sums stays as written, and so do NaN and infinity."""
    return _compile(loop, fastmath={"contract"})


def _compile(loop: Loop, fastmath: bool | set[str]) -> Loop:
    # numba unpickles a cache index before it checks whether the index is stale, which fails if a class in it
    # has been renamed since. With the digest in its name, each version of a source file has its own index.
    loop.__qualname__ += f"-{_digest(loop.__code__.co_filename)}"
    # error_model: 0/0 is NaN as in C, instead of an exception that puts a branch into every loop
    try:
        return njit(nogil=True, cache=True, error_model="numpy", fastmath=fastmath)(loop)  # type: ignore[no-any-return]
    except RuntimeError as error:  # numba finds no writable folder
        message = f"{error}; each process compiles the loops again. Set NUMBA_CACHE_DIR to a writable folder."
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return njit(nogil=True, error_model="numpy", fastmath=fastmath)(loop)  # type: ignore[no-any-return]


@lru_cache
def _digest(file: str) -> str:
    try:
        return sha256(Path(file).read_bytes()).hexdigest()[:8]
    except OSError:  # for example in a zip file, where numba has no cache either
        return "unknown"
