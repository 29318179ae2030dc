"""Photos that lie in another folder of a mended copy, or have another name there."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator

from boxmask.data.formats.contract import Writer
from boxmask.doctor.fix.mending import Mending
from boxmask.doctor.fix.photos_to_write import MendedPhotosToWrite
from boxmask.messages import format_count


def describe_moves(mending: Mending, writer: Writer) -> Iterator[str]:
    """A line per folder whose photos lie elsewhere in the copy, and per photo with another name.

    New suffixes are changes of their own.
    """
    folders: Counter[tuple[str, str]] = Counter()
    names = []
    photos = mending.labels.photos
    for index, name in MendedPhotosToWrite(mending, is_mended=True).names():
        old, mended = photos[index].file, mending.files[index]
        new = writer.photo_file(name, photos[index].split or "")
        if posixpath.dirname(old) != posixpath.dirname(new):
            folders[posixpath.dirname(old), posixpath.dirname(new)] += 1
        if posixpath.basename(mended) != posixpath.basename(new):
            names.append(f"{old} is {new}")
    for (old, new), count in sorted(folders.items()):
        yield f"{old or '.'}/ is {new or '.'}/ ({format_count(count, 'photo')})"
    yield from names
