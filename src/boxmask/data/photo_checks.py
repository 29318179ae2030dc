"""Check the photos of a data set before they are used: all damaged ones at once."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxmask.errors import PhotoError
from boxmask.messages import format_count, format_errors, format_note
from boxmask.options import option
from boxmask.photos.integrity import check_intact
from boxmask.photos.size import photo_size

OnBadPhotos = Literal["error", "skip"]
"""What to do with photos that cannot be read: stop, or leave them out with a note."""

_THREADS = 8  # reading headers waits for the disk more than it computes
_SKIP = option("on_bad_photos", "skip")
UNREADABLE = (0, 0)
"""The size of a photo whose header cannot be read."""


def check_photos(
    root: Path,
    files: Sequence[str],
    on_bad_photos: OnBadPhotos | None = "error",
    checked: Container[str] | None = None,
    missing: Container[str] = (),
) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Return the sizes of photos, and a message for each that cannot be read.

    With "error", only the headers and the ends of the files are read. With "skip", every photo is decoded, so
    that none fails later. With None, only the headers are read, and there are no messages: it is for callers
    that leave out what they cannot read.

    checked: the files to check, all by default. Of other files, only the headers are read.
    missing: files that the data set does not have. They are not opened, even if the disk has them elsewhere.

    sizes: (P, 2) heights and widths as shown

    Raises PhotoError, with all messages, if `on_bad_photos` is "error" or no checked photo can be read.
    """

    to_check = [on_bad_photos is not None and (checked is None or file in checked) for file in files]

    def check(file: str, to_check: bool) -> tuple[tuple[int, int], str]:
        size = UNREADABLE
        if file in missing:
            return size, ""
        try:
            size = photo_size(root / file)
            if to_check:
                check_intact(root / file, decode=on_bad_photos == "skip")
        except PhotoError as error:
            return size, str(error) if to_check else ""
        return size, ""

    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(check, files, to_check))
    errors = {index: message for index, (_, message) in enumerate(results) if message}
    if errors and (on_bad_photos == "error" or len(errors) == sum(to_check)):
        raise PhotoError(bad_photos_message(errors))
    return np.array([size for size, _ in results], dtype=np.int32).reshape(-1, 2), errors


def bad_photos_message(errors: Mapping[int, str]) -> str:
    """Return one message for all photos that cannot be read, by their index."""
    messages = list(errors.values())
    if len(messages) == 1:
        return f"{messages[0]} Or leave it out with {_SKIP}."
    remedy = f"Or leave them out with {_SKIP}."
    return format_errors("Labeled photos that cannot be read", messages, remedy)


def note_on_bad_photos(errors: Mapping[int, str]) -> tuple[str, ...]:
    """Return a note on the photos that are left out, by their index."""
    count = format_count(len(errors), "photo")
    return format_note(f"left out: {count} that cannot be read", list(errors.values()))
