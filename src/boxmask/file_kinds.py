"""Kinds of files by their suffix, and a note that counts the files that are not read."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

PHOTO_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".bmp",
    ".tif",
    ".tiff",
    ".webp",
    ".gif",
    ".avif",
    ".heic",
    ".heif",
    ".hif",
    ".jp2",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
)

HEIC_SUFFIXES = (".heic", ".heif", ".hif")
"""Suffixes of photos that need the package pillow-heif."""

_VIDEO = "video"
_VIDEO_SUFFIXES = (
    ".mp4",
    ".avi",
    ".mov",
    ".mkv",
    ".webm",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".3gp",
    ".mts",
    ".m2ts",
    ".flv",
    ".ogv",
)
_ARCHIVE = "archive: unpack it"
_READ_ARCHIVE = "archive: give it as DATA, or unpack it"
_HEIC = "pip install pillow-heif to read it, or convert it to JPEG"
_OTHER_PHOTO = "photo format that boxmask cannot read: convert it to JPEG or PNG"
_EXPLANATIONS = {
    **dict.fromkeys(_VIDEO_SUFFIXES, _VIDEO),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".7z", ".rar"), _ARCHIVE),
    **dict.fromkeys((".zip", ".tar", ".tgz"), _READ_ARCHIVE),
    **dict.fromkeys((".jxl", ".svg", ".psd"), _OTHER_PHOTO),
    **dict.fromkeys(HEIC_SUFFIXES, _HEIC),
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"), _OTHER_PHOTO),
}
_OTHER_PHOTO_SUFFIXES = [suffix for suffix, text in _EXPLANATIONS.items() if text == _OTHER_PHOTO]
KNOWN_SUFFIXES = frozenset([*PHOTO_SUFFIXES, *_OTHER_PHOTO_SUFFIXES, ".xml", ".json", ".txt"])
"""Suffixes of photos, also in formats that boxmask cannot read, and of label files."""

_INCIDENTAL = re.compile(
    r"(thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r?|.*\.cache|demo\.json|conversion\.txt"
    r"|changes\.(txt|diff)|left\.txt"
    r"|(readme|licen[cs]e|copying|notice|authors|citation|changelog)(\b|_).*)",
    re.IGNORECASE | re.DOTALL,
)
"""Names of files that systems and tools leave behind, boxmask among them, or that people write for people."""


def is_incidental(file: str) -> bool:
    """Whether a file is obviously neither a photo nor a label: Thumbs.db, README.md, LICENSE."""
    path = PurePosixPath(file)
    return _INCIDENTAL.fullmatch(path.name) is not None or "__MACOSX" in path.parts


def is_video(file: str) -> bool:
    """Whether a file has the suffix of a video."""
    return _EXPLANATIONS.get(PurePosixPath(file).suffix.lower()) == _VIDEO


def note_on_unused_files(files: Iterable[str]) -> tuple[str, ...]:
    """One line that counts files by suffix, most frequent first; no note if there are none.

    For example "not used: 3 .txt, 2 .mp4 (video), 1 without an ending". Incidental files are not counted.

    files: names or paths with "/", those that were not read
    """
    suffixes = Counter(
        PurePosixPath(file).suffix.lower() or "without an ending" for file in files if not is_incidental(file)
    )
    counts = [f"{count:,} {_with_explanation(suffix)}" for suffix, count in suffixes.most_common()]
    return (f"not used: {', '.join(counts)}",) if counts else ()


def _with_explanation(suffix: str) -> str:
    return f"{suffix} ({_EXPLANATIONS[suffix]})" if suffix in _EXPLANATIONS else suffix


# ---------------------------------------------------------------- paths that users give


def is_file(path: Path) -> bool:
    """Whether there is a file. False, unlike in `Path.is_file`, for names that no disk can hold."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether there is a folder. False, unlike in `Path.is_dir`, for names that no disk can hold."""
    return os.path.isdir(path)  # noqa: PTH112
