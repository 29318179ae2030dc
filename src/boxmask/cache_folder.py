"""Where boxmask keeps files that it can make again: proposals and unpacked archives."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The folder in `BOXMASK_CACHE`, or the system's cache folder."""
    given = os.environ.get("BOXMASK_CACHE")
    return Path(given) if given else user_cache_path("boxmask", appauthor=False)
