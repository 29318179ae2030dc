"""Names of output files. No two are equal, and none overwrites a photo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from boxmask.errors import UsageError


def picture_names(photos: Sequence[Path]) -> list[str]:
    """A unique name, without suffix, per photo: the photo's own name, plus a number if that is taken."""
    stems = {photo.stem for photo in photos}
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(2))
    seen: set[str] = set()
    names = []
    for stem in (photo.stem for photo in photos):
        numbered = (f"{stem}-{number}" for number in numbers[stem])
        names.append(next(name for name in numbered if name not in stems) if stem in seen else stem)
        seen.add(stem)
    return names


def check_not_overwriting(files: Sequence[Path], photos: Sequence[Path]) -> None:
    """Raise UsageError if one of the output files would overwrite one of the photos."""
    originals = {photo.resolve() for photo in photos}
    for file in files:
        if file.resolve() in originals:
            raise UsageError(f"{file}: would overwrite the photo itself. Choose another folder.")
