"""The photos that a data set shares with the training of a run, and whether it is the run's data set.

A photo is the same if its name and its contents are. Runs of old versions have no record of the contents;
there the names alone count. A data set is the run's if it

- lies where the run read it, and has at least one of its photos unchanged, or
- lies elsewhere, and has the run's photos: most of its own photos are among them, or all of them are there.
  Without a record of contents, all names of the data set must be among the run's, or the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.contract import SplitDataset
from boxmask.data.split_file import SplitFile, photo_digest, read_split_file
from boxmask.errors import CheckpointError
from boxmask.messages import format_count, format_errors, format_note
from boxmask.names import AmbiguousNameError, Match, NameIndex
from boxmask.runs.run import Run, read_recipe


@dataclass(frozen=True, slots=True)
class CommonPhotos:
    """Photos of a data set, each with the photo of the run that has its name or its contents.

    num_photos: of the data set
    same:       name and contents agree, as far as the run knows the contents
    changed:    the name agrees, but not the contents
    copies:     the contents agree, but not the name
    """

    file: SplitFile
    num_photos: int
    same: Mapping[str, str]
    changed: Mapping[str, str]
    copies: Mapping[str, str]

    def is_data_set_of_run(self, read_from_here: bool) -> bool:
        """Whether the run was trained on this data set; see the rules above.

        read_from_here: whether the data set lies where the run read it
        """
        num_same = len(self.same)
        if read_from_here:
            return num_same > 0
        if num_same == len(self.file.splits):
            return num_same > 0
        return 2 * num_same > self.num_photos if self.file.contents else num_same == self.num_photos

    def splits(self, read_from_here: bool) -> dict[str, str]:
        """The split of each photo of the run. Changed photos count only where the run read them."""
        names = {**self.same, **(self.changed if read_from_here else {})}
        return {photo: self.file.splits[name] for photo, name in names.items()}

    def notes(self, read_from_here: bool) -> tuple[str, ...]:
        """How the photos differ from those of the run, if they are its data set."""
        found = {*self.same.values(), *(self.changed.values() if read_from_here else ())}
        absent = sorted(self.file.splits.keys() - found)
        moved = [f"{photo}: {name}" for photo, name in self.same.items() if photo != name]
        by_names = f"the run's split is applied by names alone: {self.file.path} records no contents"
        return (
            *format_note(
                f"no longer there: {format_count(len(absent), 'photo')} of {self.file.path}", absent
            ),
            *format_note("photos with another path than in training", moved),
            *format_note("photos whose contents have changed since training", list(self.changed)),
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
        """Why the split of the run is not used, and which photos it has seen nevertheless."""
        known = {**self.copies, **self.same}
        seen = [
            f"{photo}: {self.file.splits[name]}" + (f" ({name})" if photo != name else "")
            for photo, name in known.items()
            if self.file.splits[name] != "test"
        ]
        reason = self.why_not_used()
        return (
            *((reason,) if reason else ()),
            *format_note(
                "photos with the name of a photo of the run, but other contents", list(self.changed)
            ),
            *format_note("photos that the run was trained or validated on", seen),
        )


def find_common_photos(dataset: SplitDataset, file: SplitFile) -> CommonPhotos:
    """Compare the photos of a data set with those in the split file of a run."""
    index = NameIndex(file.splits)
    by_contents = {digest: name for name, digest in file.contents.items() if name in file.splits}
    same: dict[str, str] = {}
    changed: dict[str, str] = {}
    copies: dict[str, str] = {}
    for photo in dataset.files.tolist():
        digest = photo_digest(dataset.root / photo) if by_contents else ""
        match = _find(index, photo)
        recorded = file.contents.get(match.file, "") if match else ""
        if match and (recorded == digest if recorded else match.is_exact):
            same[photo] = match.file
        elif digest in by_contents:
            copies[photo] = by_contents[digest]
        elif match and match.is_exact:
            changed[photo] = match.file
    return CommonPhotos(file, len(dataset), same, changed, copies)


def was_read_from(run: Run, root: Path, data: Path) -> bool:
    """Whether the run was trained on the data set at this path, as far as recipe.json tells.

    root: the folder of the data set
    data: the path that the user gave
    """
    try:
        recorded = read_recipe(run)[1].resolve()
    except CheckpointError:
        return False
    folder = recorded if recorded.is_dir() else recorded.parent
    return not {recorded, folder}.isdisjoint({root.resolve(), data.resolve()})


def check_same_contents(run: Run, dataset: SplitDataset) -> None:
    """Raise CheckpointError if photos have other contents than when the run began."""
    changed = list(find_common_photos(dataset, read_split_file(run.split_file)).changed)
    if changed:
        remedy = "Start a new run, or restore these photos."
        heading = f"{run.path}: photos have changed since this training began"
        raise CheckpointError(format_errors(heading, changed, remedy))


def _find(index: NameIndex, photo: str) -> Match | None:
    try:
        return index.find(photo)
    except AmbiguousNameError:
        return None
