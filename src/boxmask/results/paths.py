"""What the pictures of photos are called: like the photos, no two alike, and never over a photo itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from boxmask.errors import UsageError


def picture_names(photos: Sequence[Path]) -> list[str]:
    """A name without ending for the picture of each photo: the photo's, with a number where that is taken."""
    stems = {photo.stem for photo in photos}
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(2))
    seen: set[str] = set()
    names = []
    for stem in (photo.stem for photo in photos):
        numbered = (f"{stem}-{number}" for number in numbers[stem])
        names.append(next(name for name in numbered if name not in stems) if stem in seen else stem)
        seen.add(stem)
    return names


def require_apart(pictures: Sequence[Path], photos: Sequence[Path]) -> None:
    """Raise UsageError if a picture would be written over one of the photos."""
    originals = {photo.resolve() for photo in photos}
    for picture in pictures:
        if picture.resolve() in originals:
            raise UsageError(f"{picture}: the picture would replace the photo itself. Give another folder.")
