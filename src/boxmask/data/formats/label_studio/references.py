"""How Label Studio names photos: as uploads, as files of a storage, and as addresses."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.file_kinds import KNOWN_SUFFIXES
from boxmask.names import ENCODING, FOLDERS, Match

_PHOTO_KEYS = ("image", "img", "photo", "picture", "url", "image_url", "ocr")
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-(?=.)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
EMBEDDED = "data:"


def photo_key(data: Mapping[str, object]) -> str | None:
    """The field of a task that names its photo; None if there is none."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    named = [key for key in _PHOTO_KEYS if key in texts]
    likely = [key for key, value in texts.items() if key not in named and _is_photo_name(value)]
    return next((key for key in named if _is_photo_name(texts[key])), next(iter([*likely, *named]), None))


def _is_photo_name(text: str) -> bool:
    if text.startswith(EMBEDDED):
        return text.startswith("data:image/")
    return any(posixpath.splitext(path)[1].lower() in KNOWN_SUFFIXES for path in paths_of(text))


def paths_of(reference: str) -> list[str]:
    """The paths that a reference may mean, the likeliest first.

    /data/local-files/?d=a%20b.jpg          a b.jpg
    /data/upload/1/8f3a1b2c-a.jpg           8f3a1b2c-a.jpg, and a.jpg
    s3://bucket/folder/a.jpg                folder/a.jpg
    /tasks/7/resolve/?fileuri=czM6Ly8...    the path of the address that is encoded in it
    """
    reference = reference.strip()
    path, _, query = reference.partition("?")
    fields = parse_qs(query)
    if fields.get("d"):
        raw = query.partition("d=")[2]
        return _unique([fields["d"][0], unquote(raw), raw])
    if fields.get("fileuri") and (address := _decoded_base64(fields["fileuri"][0])):
        return paths_of(address)
    if _SCHEME.match(reference):
        path = path.partition("://")[2].partition("/")[2]
        return _unique([unquote(path), path])
    if re.match(r"/?data/upload/", path):
        name = posixpath.basename(path)
        names = [name, unquote(name)]
        return _unique([*names, *(_UPLOAD_PREFIX.sub("", each, count=1) for each in names)])
    return _unique([reference, unquote(path), path, _without_prefix(reference)])


def _without_prefix(path: str) -> str:
    folder, name = posixpath.split(path)
    return posixpath.join(folder, _UPLOAD_PREFIX.sub("", name, count=1))


def _decoded_base64(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except ValueError:
        return ""


def _unique(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(path for path in paths if path))


def find_photo(references: list[str], finder: PhotoFinder, label_file: str) -> Match | None:
    """The photo of the first reference that means one; None if none does.

    Differences that Label Studio's own folders and encodings make are not noted. Raises LabelError for a
    reference that may mean several photos.
    """
    for reference in references:
        for path in paths_of(reference):
            if match := finder.find(path, label_file):
                return match.allowing(ENCODING).allowing(FOLDERS)
    return None
