"""The photos that a data set shares with the split file of a run, and whether it is the run's data set.

A photo is the same if its name and its contents are. Runs of old versions have no record of the contents;
there the names alone count. A data set is the run's if it

- lies where the run read it, and has at least one of its photos unchanged, or
- lies elsewhere, and has the run's photos: most of its own photos are among them, or all of them are there.
  Without a record of contents, all names of the data set must be among the run's, or the other way round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from boxmask.data.contract import SplitDataset
from boxmask.data.photo_digest import photo_digest
from boxmask.data.split_file import SplitFile
from boxmask.messages import format_count, format_note
from boxmask.names import AmbiguousNameError, Match, NameIndex


@dataclass(frozen=True, slots=True)
class CommonPhotos:
    """Photos of a data set, each with the photo of the split file that it is.

    num_photos: of the data set
    same:       name and contents agree, as far as the file knows the contents
    moved:      the contents agree, but not the name, and no other photo is the file's
    changed:    the name agrees, but not the contents, which no other photo has
    copies:     further photos with the contents of one of the file's
    contents:   the digests of all photos of the data set; empty if the file has none
    """

    file: SplitFile
    num_photos: int
    same: Mapping[str, str]
    moved: Mapping[str, str]
    changed: Mapping[str, str]
    copies: Mapping[str, str]
    contents: Mapping[str, str]

    def is_data_set_of_run(self, read_from_here: bool) -> bool:
        """Whether the run was trained on this data set; see the rules above.

        read_from_here: whether the data set lies where the run read it
        """
        num_same = len(self.same)
        if read_from_here:
            return num_same + len(self.moved) > 0
        if num_same == len(self.file.splits):
            return num_same > 0
        return 2 * num_same > self.num_photos if self.file.contents else num_same == self.num_photos

    def names(self, read_from_here: bool) -> dict[str, str]:
        """The name of each photo in the file. Changed photos count only where the run read them."""
        return {**self.same, **self.moved, **(self.changed if read_from_here else {})}

    def splits(self, read_from_here: bool) -> dict[str, str]:
        """The split of each photo of the run."""
        return {photo: self.file.splits[name] for photo, name in self.names(read_from_here).items()}

    def absent(self, read_from_here: bool) -> list[str]:
        """The photos of the file that the data set lacks, sorted."""
        return sorted(self.file.splits.keys() - set(self.names(read_from_here).values()))

    def notes(self, read_from_here: bool, training: str = "training") -> tuple[str, ...]:
        """How the photos differ from those of the run, if they are its data set.

        training: the training in words
        """
        found = self.names(read_from_here)
        vanished_before = self.file.draw.vanished if self.file.draw else {}
        absent = [name for name in self.absent(read_from_here) if name not in vanished_before]
        moved = [f"{photo}: {name}" for photo, name in sorted(found.items()) if photo != name]
        by_names = f"the run's split is applied by names alone: {self.file.path} records no contents"
        return (
            *format_note(
                f"no longer there: {format_count(len(absent), 'photo')} of {self.file.path}", absent
            ),
            *format_note(f"photos with another path than in {training}", moved),
            *format_note(f"photos whose contents have changed since {training}", list(self.changed)),
            *(() if read_from_here or self.file.contents else (by_names,)),
        )

    def why_not_used(self) -> str:
        """Why the split of the run is not used; "" if the data set has nothing to do with the run."""
        if not (self.same or self.changed):
            return ""
        verb = "is" if len(self.same) == 1 else "are"
        photos = format_count(self.num_photos, "photo")
        return f"the run's split is not used: {len(self.same)} of {photos} {verb} the run's"

    def notes_on_other_data_set(self) -> tuple[str, ...]:
        """Why the split of the run is not used, and which photos have the names of others of the run."""
        reason = self.why_not_used()
        return (
            *((reason,) if reason else ()),
            *format_note(
                "photos with the name of a photo of the run, but other contents", list(self.changed)
            ),
        )


def find_common_photos(dataset: SplitDataset, file: SplitFile) -> CommonPhotos:
    """Compare the photos of a data set with those in a split file. Contents come before names."""
    index, photos = NameIndex(file.splits), dataset.files.tolist()
    contents = {photo: photo_digest(dataset.root / photo) for photo in photos} if file.contents else {}
    matches = {photo: match for photo in photos if (match := _find(index, photo))}
    same = {
        photo: match.file
        for photo, match in matches.items()
        if _agree(match, file.contents.get(match.file, ""), contents.get(photo, ""))
    }
    moved, copies = _find_by_contents(file, contents, same)
    found = {*same.values(), *moved.values()}
    changed = {
        photo: match.file
        for photo, match in matches.items()
        if match.is_exact and match.file not in found and photo not in moved and photo not in copies
    }
    return CommonPhotos(file, len(photos), same, moved, changed, copies, contents)


def _agree(match: Match, recorded: str, digest: str) -> bool:
    """Whether a photo is the one of the file that its name means. Without a digest, names must be exact."""
    return recorded == digest if recorded else match.is_exact


def _find_by_contents(
    file: SplitFile, contents: Mapping[str, str], same: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The photos that moved, and the copies, with the names in the file."""
    names_of: dict[str, list[str]] = defaultdict(list)
    for name, digest in file.contents.items():
        if name in file.splits:
            names_of[digest].append(name)
    free = set(file.splits) - set(same.values())
    moved: dict[str, str] = {}
    copies: dict[str, str] = {}
    for photo, digest in contents.items():
        if photo in same or digest not in names_of:
            continue
        unfound = [name for name in names_of[digest] if name in free]
        if unfound:
            moved[photo] = unfound[0]
            free.remove(unfound[0])
        else:
            copies[photo] = names_of[digest][0]
    return moved, copies


def _find(index: NameIndex, photo: str) -> Match | None:
    try:
        return index.find(photo)
    except AmbiguousNameError:
        return None
