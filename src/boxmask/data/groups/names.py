"""What the names of photos tell about where they come from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from boxmask.data.split_words import is_split_folder
from boxmask.names import normal_path, telling_folders

_PHOTO_ENDING = r"(?:jpe?g|jpe|jfif|png|bmp|tiff?|webp|gif|avif|heic|heif|jp2)"
_VIDEO_ENDING = r"(?:mp4|avi|mov|mkv|webm|m4v|mpe?g|wmv)"

ROBOFLOW = re.compile(rf"(?P<name>.+)_{_PHOTO_ENDING}\.rf\.[0-9A-Za-z]{{16,}}")
"""Roboflow's names of augmented photos: cat_jpg.rf.0123456789abcdef0123456789abcdef."""

VIDEO = re.compile(
    rf"(?P<name>.+[_.-]{_VIDEO_ENDING}|.*(?:video|movie|clip|cam|camera)[_-]?\d+(?:[_-][A-Za-z]\w*?)??)"
    r"[_.-]+(?:frame|frm|img)?[_.-]?\d+",
    re.IGNORECASE,
)
"""Frames of a video: street_mp4-0017, video3-frame-17, cam1_0001."""

FRAME = re.compile(r"(?P<name>.*?)[_.-]*(?:frame|frm)[_.-]*\d+", re.IGNORECASE)
"""Frames of a video or of a folder: drive7_frame0012, drive7/frame_0012."""

TILE = re.compile(
    r"(?P<name>.+?)(?:[_-]+(?:x|y|row|col|r|c|left|top)[_-]?\d+){2}"
    r"|(?P<dota>.+?)__[\d.]+__\d+___\d+"
    r"|(?P<part>.*?)[_-]*(?:tile|patch|crop|part)[_-]*\d+(?:[_-]\d+)?",
    re.IGNORECASE,
)
"""Parts of a larger picture: scene_x0_y512, scene_r1_c2, P0001__1__0___824 (DOTA), scene_tile_12."""

NUMBERED = re.compile(r"(?P<name>.*?)[\s_.(-]*\d+\)?")
"""A stem with a running number: cam1_0001, drive-17, cat (3)."""


def photo_of_augmentation(file: str) -> str | None:
    """The name of the photo that Roboflow augmented into a file; None for other names.

    It is the same on both sides of a split: train/images/cat_jpg.rf.x.jpg, valid/images/cat_jpg.rf.y.jpg.
    """
    match = ROBOFLOW.fullmatch(_stem(file))
    return match["name"] if match else None


def video_of_frame(file: str) -> str | None:
    """The video of a frame whose name says so, with its folders; None for other names."""
    stem = photo_of_augmentation(file) or _stem(file)
    match = VIDEO.fullmatch(stem) or FRAME.fullmatch(stem)
    return _with_folders(file, match["name"]) if match else None


def picture_of_tile(file: str) -> str | None:
    """The larger picture of a tile whose name says so, with its folders; None for other names."""
    match = TILE.fullmatch(photo_of_augmentation(file) or _stem(file))
    if match is None:
        return None
    return _with_folders(file, match["name"] or match["dota"] or match["part"] or "")


def numbered_stem(file: str) -> str | None:
    """The name without its running number, with its folders; None for a name without a number."""
    match = NUMBERED.fullmatch(photo_of_augmentation(file) or _stem(file))
    return _with_folders(file, match["name"]) if match else None


def running_number(file: str) -> int:
    """The last number in a name, to sort by; 0 without one."""
    digits = re.findall(r"\d+", photo_of_augmentation(file) or _stem(file))
    return int(digits[-1]) if digits else 0


def folder_of_photo(file: str) -> str:
    """The folders that tell photos apart: cam1 for images/train/cam1/a.jpg."""
    return "/".join(folder for folder in telling_folders(file) if not is_split_folder(folder))


def keys_by_pattern(files: Sequence[str], pattern: re.Pattern[str]) -> list[str | None]:
    """What a regular expression finds in each path: its first group, or all of it without a group.

    None for a path that it does not match.
    """
    matches = [pattern.search(file) for file in files]
    return [(match[1] if pattern.groups else match[0]) if match else None for match in matches]


def _stem(file: str) -> str:
    return PurePosixPath(normal_path(file)).stem


def _with_folders(file: str, name: str) -> str:
    return "/".join(part for part in (folder_of_photo(file), name) if part)
