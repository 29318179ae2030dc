"""The files of the page, which `make page` builds from `page/` and the wheel ships."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

BUNDLE = Path(__file__).parent / "static"
INDEX, ASSETS = "index.html", "page"

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""The kinds of files that a bundle has. `mimetypes` would ask the computer, which may know other types."""


@dataclass(frozen=True)
class BundleFile:
    """A file of the page, in memory."""

    content: bytes
    media_type: str

    @cached_property
    def etag(self) -> str:
        """A name of the content, for caches."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cached_property
    def compressed(self) -> bytes:
        """The content as gzip."""
        return gzip.compress(self.content, mtime=0)


def read_bundle(folder: Path = BUNDLE) -> dict[str, BundleFile]:
    """The files of the page by their paths in the bundle, with "/"; none if it was not built."""
    paths = [folder / INDEX, *sorted((folder / ASSETS).glob("*"))]
    return {
        path.relative_to(folder).as_posix(): BundleFile(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in paths
        if path.is_file() and path.suffix in MEDIA_TYPES
    }
