"""Which formats a photo's suffix may stand for, and which suffixes a format has."""

from __future__ import annotations

FORMATS_OF_SUFFIX = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), ("JPEG", "MPO")),
    ".png": ("PNG",),
    ".bmp": ("BMP", "DIB"),
    **dict.fromkeys((".tif", ".tiff"), ("TIFF",)),
    ".webp": ("WEBP",),
    ".gif": ("GIF",),
    ".avif": ("AVIF",),
    **dict.fromkeys((".heic", ".heif", ".hif"), ("HEIF",)),
    ".jp2": ("JPEG2000",),
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), ("PPM",)),
}
"""The formats, as Pillow calls them."""


def suffixes_of(photo_format: str) -> tuple[str, ...]:
    """The suffixes of a format, the usual one first; none for a format that is unknown."""
    return tuple(suffix for suffix, formats in FORMATS_OF_SUFFIX.items() if photo_format in formats)
