"""What lies in a folder, as every part of boxmask sees it: sorted, without hidden files, links followed."""

from __future__ import annotations

import os
from pathlib import Path


def visible_files(folder: Path) -> list[Path]:
    """All files below a folder, sorted, as paths that begin with `folder`.

    Names that begin with a dot are passed over, and all below them. Links to folders are followed, each
    folder once; a link that leads nowhere is listed, so that whoever opens it can say so.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.extend(Path(here, name) for name in names if not name.startswith("."))
    return sorted(found)
