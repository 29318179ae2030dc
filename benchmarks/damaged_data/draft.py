"""A data set that is about to be damaged, and what must be found in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from damaged_data.sample import Object, Photo, Place, Sample, Writer
from damaged_data.scenes import link


@dataclass(frozen=True)
class Expected:
    """A finding that must be made.

    kind:   its id
    places: it must name one of them, by file and a line between the first and the last
    photos: it must name all of them, relative to the data set
    names:  names of photos and classes that another program may use for it
    ids:    of annotations, likewise
    """

    kind: str
    places: tuple[Place, ...]
    photos: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    ids: frozenset[int] = frozenset()


@dataclass
class Draft:
    """A data set on its way from memory to a folder.

    expected: what must be found
    implied:  kinds that follow from the damage, and may be found, too
    """

    writer: Writer
    sample: Sample
    folder: Path
    places: dict[object, Place] = field(default_factory=dict)
    expected: list[Expected] = field(default_factory=list)
    implied: set[str] = field(default_factory=set)

    @property
    def format(self) -> str:
        return self.writer.NAME

    # ------------------------------------------------------------ choosing

    def photo(self, index: int = 0, split: str = "train") -> Photo:
        """One of the photos of a split."""
        return self.sample.of_split(split)[index]

    def thing(self, index: int = 0, split: str = "train") -> Object:
        """The first object of one of the photos of a split."""
        return self.photo(index, split).objects[0]

    def choose(self, fits: Callable[[Photo], bool]) -> Photo:
        """The first photo that fits; training photos come first. Raises ValueError if none does."""
        for photo in self.sample.photos:
            if fits(photo):
                return photo
        raise ValueError("no photo suits this damage; choose another seed")

    # ------------------------------------------------------------ writing

    def write(self) -> None:
        """Write labels and photos."""
        self.folder.mkdir(parents=True)
        self.places = self.writer.write(self.sample, self.folder)
        for photo in self.sample.photos:
            self.write_photo(photo)

    def write_photo(self, photo: Photo) -> None:
        path = self.path(photo)
        if photo.content is None:
            if not path.exists():
                link(photo.source, path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(photo.content)

    def file(self, photo: Photo) -> str:
        """Where the photo lies, relative to the data set."""
        return self.writer.photo_file(photo)

    def path(self, photo: Photo) -> Path:
        return self.folder / self.file(photo)

    # ------------------------------------------------------------ damaging files

    def edit(self, part: object, pattern: str, replacement: str) -> None:
        """Replace the first match in the lines of a part of the data set."""
        place = self.places[part]
        path = self.folder / place.file
        lines = path.read_text(encoding="utf-8").split("\n")
        first, last = (place.first or 1) - 1, place.last or len(lines)
        found = "\n".join(lines[first:last])
        edited, count = re.subn(pattern, replacement, found, count=1, flags=re.DOTALL)
        if not count:
            raise ValueError(f"{self.format}: no {pattern!r} in {found!r}")
        path.write_text("\n".join([*lines[:first], *edited.split("\n"), *lines[last:]]), encoding="utf-8")

    # ------------------------------------------------------------ expecting

    def expect(self, kind: str, *parts: object) -> None:
        """A finding must name one of the parts: objects, photos, classes by name, or places."""
        places = tuple(part if isinstance(part, Place) else self.places[part] for part in parts)
        names = {self._name(part) for part in parts} - {""}
        ids = {self._id(part) for part in parts if isinstance(part, Object)} - {0}
        self.expected.append(Expected(kind, places, (), frozenset(names), frozenset(ids)))

    def expect_photo(self, kind: str, photo: Photo, *related: Photo) -> None:
        """A finding must name a photo, by the photo's file or its label's, and the related ones."""
        photos = (photo, *related)
        places = [Place(self.file(each)) for each in photos]
        places += [self.places[each] for each in photos if each in self.places]
        names = frozenset(each.stem for each in photos)
        files = tuple(self.file(each) for each in photos)
        self.expected.append(Expected(kind, tuple(places), files, names))

    def expect_any_photo(self, kind: str, photos: list[Photo]) -> None:
        """A finding must name one of the photos."""
        places = tuple(Place(self.file(photo)) for photo in photos)
        self.expected.append(Expected(kind, places, (), frozenset(photo.stem for photo in photos)))

    def _name(self, part: object) -> str:
        if isinstance(part, Photo):
            return part.stem
        if isinstance(part, Object):
            return self.sample.photo_of(part).stem
        return part if isinstance(part, str) else ""

    def _id(self, thing: Object) -> int:
        """The id of an annotation, in COCO."""
        place = self.places[thing]
        if self.format != "coco":
            return 0
        lines = (self.folder / place.file).read_text(encoding="utf-8").split("\n")
        found = re.search(r'"id": (\d+)', "\n".join(lines[(place.first or 1) - 1 : place.last]))
        return int(found[1]) if found else 0

    def allow(self, *kinds: str) -> None:
        """Kinds that follow from the damage."""
        self.implied.update(kinds)
