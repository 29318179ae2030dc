"""Describe a file that was given instead of weights, for error messages."""

from __future__ import annotations

from pathlib import Path

_SIGNATURES = (
    (b"\xff\xd8\xff", "a photo (JPEG)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\x00", "a picture (TIFF)"),
    (b"MM\x00*", "a picture (TIFF)"),
    (b"BM", "a picture (BMP)"),
    (b"%PDF", "a PDF document"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file, as Keras writes"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive, as torch.save writes"),
    (b"\x80", "a pickle, as torch.save writes"),
)


def describe_file(path: Path) -> str:
    """Describe a file in a few words by its first bytes; "" if they are unknown or cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return ""
    if not start.strip(b"\0"):
        return ""  # empty, or zeros after a crash
    if start[6:9] == b"\0\0{":
        return ""  # safetensors begins with the length of its header, whose first byte may be any
    if start[4:8] == b"ftyp":
        return "a photo or video (HEIC, AVIF or MP4)"
    if start[:4] == b"RIFF":
        return "a picture (WebP)" if start[8:12] == b"WEBP" else "an audio or video file"
    if found := next((name for signature, name in _SIGNATURES if start.startswith(signature)), ""):
        return found
    return _describe_text(start)


def _describe_text(start: bytes) -> str:
    text = start.decode("utf-8", errors="replace").lstrip("\ufeff \r\n\t")
    if "\0" in text or text.count("\ufffd") > 1:
        return ""
    if text.startswith(("{", "[")):
        return "a JSON file"
    return "an XML or HTML file" if text.startswith("<") else "a text file"
