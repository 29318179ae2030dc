"""Folders of photos, one per class: their layout, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from boxmask.data.archives import unpacked
from boxmask.data.class_names import check_class_names
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.kinds import PHOTO_LISTED_TWICE, PHOTO_WITHOUT_LABEL
from boxmask.data.groups.identical_files import PHOTO_COPIES, identical_files
from boxmask.data.split_file import is_split_file
from boxmask.data.split_words import split_from_name
from boxmask.errors import LabelError
from boxmask.file_kinds import PHOTO_SUFFIXES, is_file, is_folder, note_on_unused_files
from boxmask.names import PHOTO_WORDS, class_name
from boxmask.outputs import note_on_outputs, split_outputs
from boxmask.outputs.run_folders import note_on_run_folders, split_run_folders
from boxmask.photos.folders import visible_files

EXPECTED = "Give a folder with one folder of photos per class, or a data set with labeled boxes."

_IN_NO_CLASS = "left out: in no class folder"

FOLDERS_MIXED = Kind(
    "class-folders-mixed",
    "error",
    "Class folders beside split folders",
    "Move the photos into the class folders of a split, or move the split folders out of this folder.",
)
FOLDER_EMPTY = Kind(
    "class-folder-empty",
    "note",
    "Class folders without photos",
    "Add photos of these classes, or remove the folders.",
)


class NoClassFoldersError(LabelError):
    """No photo lies in a class folder."""


@dataclass(frozen=True)
class ClassFolders:
    """Photos in class folders.

    items: by photo, sorted
    notes: on files that are not read
    """

    root: Path
    items: dict[str, Item]
    notes: tuple[str, ...]


def find_class_folders(root: Path, findings: Findings) -> ClassFolders:
    """The photos in class folders. Raises NoClassFoldersError if there are none, and as `unpacked` does."""
    given, root = root, unpacked(root)
    if not is_folder(root):
        reason = "this is a file" if is_file(root) else "no such folder"
        raise NoClassFoldersError.in_file(root, f"{reason}. {EXPECTED}")
    outside_runs, runs = split_run_folders(visible_files(root))
    files_of_others, outputs = split_outputs(outside_runs)
    files = [PurePosixPath(file.relative_to(root).as_posix()) for file in files_of_others]
    photos = [file for file in files if file.suffix.lower() in PHOTO_SUFFIXES]
    others = [file for file in files if file.suffix.lower() not in PHOTO_SUFFIXES]
    layout = _find_layout(root, photos, findings)
    items = _items(photos, layout)
    if not _are_classes({item.class_name for item in items.values()}):
        findings.raise_errors()
        reason = "no photo lies in a class folder" if photos else "there are no photos in it"
        raise NoClassFoldersError.in_file(given, f"no class folders found: {reason}. {EXPECTED}")
    for photo in photos:
        if str(photo) not in items:
            findings.add(Finding(PHOTO_WITHOUT_LABEL, Location(str(root / photo)), _IN_NO_CLASS, str(photo)))
    spellings = {
        folder: partial(Location, str(root / photo.parent))
        for photo in photos
        if (folder := layout.class_folder(photo))
    }
    check_class_names(spellings, findings)
    _check_empty_folders(root, layout, photos, runs, findings)
    unused = note_on_unused_files(str(file) for file in others if not is_split_file(root / file))
    notes = unused + note_on_outputs(outputs) + note_on_run_folders(runs)
    return ClassFolders(root, dict(sorted(items.items())), notes)


def check_identical_photos(
    root: Path, items: Mapping[str, Item], findings: Findings, only_across_classes: bool = False
) -> None:
    """Find photos that are in the data set several times; in several classes, they are an error."""
    for first, *copies in identical_files(root, items):
        classes = {items[file].class_name for file in (first, *copies)}
        if only_across_classes and len(classes) == 1:
            continue
        kind = PHOTO_LISTED_TWICE if len(classes) > 1 else PHOTO_COPIES
        place = "in another class: " if len(classes) > 1 else ""
        detail = f"{place}the same file as {', '.join(copies)}"
        findings.add(Finding(kind, Location(str(root / first)), detail, first, related=tuple(copies)))


# ---------------------------------------------------------------- folders


@dataclass(frozen=True, slots=True)
class Item:
    """The class and the split ("" if none) of a photo."""

    class_name: str
    split: str


@dataclass(frozen=True, slots=True)
class Layout:
    """splits: the split of each top folder; empty if the top folders are classes."""

    splits: Mapping[str, str]

    def class_folder(self, photo: PurePosixPath) -> str | None:
        """The name of the class folder that a photo lies in; None if it lies in none."""
        folders = photo.parts[1:-1] if self.splits else photo.parts[:-1]
        return folders[0] if folders else None

    def item(self, photo: PurePosixPath) -> Item | None:
        """The class and split of a photo; None if it lies in no class folder."""
        folder = self.class_folder(photo)
        return Item(class_name(folder), self.splits.get(photo.parts[0], "")) if folder else None


def _find_layout(root: Path, photos: Iterable[PurePosixPath], findings: Findings) -> Layout:
    """Whether the top folders are splits or classes. Classes beside splits are added to the findings."""
    paths = [photo.parts[:-1] for photo in photos if len(photo.parts) > 1]
    tops = sorted({folders[0] for folders in paths})
    splits = {top: split for top in tops if (split := _split_named(top))}
    if len(splits) == len(tops):
        return Layout(splits)
    with_photos = {folders[0] for folders in paths if len(folders) == 1}  # a class may be called "train"
    split_folders = sorted(splits.keys() - with_photos)
    for top in tops if split_folders else ():
        if top not in split_folders:
            detail = f"beside {', '.join(split_folders)}"
            findings.add(Finding(FOLDERS_MIXED, Location(str(root / top)), detail))
    return Layout({top: splits[top] for top in split_folders})


def _split_named(folder: str) -> str | None:
    """The split that a folder is named after: "train", "Valid". "test_tubes" is a class."""
    return split_from_name(folder) if folder.isalpha() else None


def _items(photos: Sequence[PurePosixPath], layout: Layout) -> dict[str, Item]:
    """The photos that lie in class folders, by path."""
    items = ((str(photo), layout.item(photo)) for photo in photos)
    return {file: item for file, item in items if item is not None}


def _are_classes(names: Collection[str]) -> bool:
    """Whether folders are classes: some, and not just the folder "images" of a data set of another kind."""
    return any(name.lower() not in PHOTO_WORDS for name in names)


def _check_empty_folders(
    root: Path, layout: Layout, photos: Iterable[PurePosixPath], runs: Sequence[Path], findings: Findings
) -> None:
    """Find folders in the place of a class folder, but without photos. Those of trainings need none."""
    parents = [root / top for top in layout.splits] or [root]
    folders = {folder.name: folder for parent in parents for folder in parent.iterdir() if folder.is_dir()}
    used = {layout.class_folder(photo) for photo in photos}
    for name in sorted(folders.keys() - used):
        holds_runs = any(folders[name] in (run, *run.parents) for run in runs)
        if not (name.startswith(".") or holds_runs):
            findings.add(Finding(FOLDER_EMPTY, Location(str(folders[name]))))
