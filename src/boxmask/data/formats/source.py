"""What the user pointed at: a folder with everything below it, or one label file with what lies around it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from boxmask.errors import LabelError
from boxmask.photos.find import PHOTO_ENDINGS
from boxmask.photos.folders import visible_files

_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "trainval"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass(frozen=True)
class Source:
    """root: the folder; files: all below it, relative to it, sorted; chosen: the label files to consider."""

    root: Path
    files: tuple[str, ...]
    chosen: tuple[str, ...]

    def chosen_with(self, ending: str) -> list[str]:
        """The label files to consider whose name ends so."""
        return [file for file in self.chosen if file.lower().endswith(ending)]

    @cached_property
    def photos(self) -> tuple[str, ...]:
        """The files that are photos, judged by their ending."""
        return tuple(file for file in self.files if file.lower().endswith(PHOTO_ENDINGS))

    def contents(self) -> str:
        """What kinds of files there are, the most frequent first, for messages."""
        kinds = Counter(PurePosixPath(file).suffix.lower() or "without an ending" for file in self.files)
        most = [f"{count} {kind}" for kind, count in kinds.most_common(6)]
        return ", ".join(most) or "nothing"


def look_at(path: Path) -> Source:
    """List a folder, or the surroundings of a label file.

    Where no photo lies below, as in `annotations/` beside `images/`, the folder above is listed instead.
    Raises LabelError if there is no such file or folder.
    """
    if not path.exists():
        raise LabelError(f"{path}: there is no such file or folder. Check the spelling.")
    folder = path if path.is_dir() else path.parent
    if _is_for_labels(folder) and not any(_is_photo(file) for file in visible_files(folder)):
        return _listed(path.absolute(), folder.absolute().parent)
    return _listed(path, folder)


def _listed(path: Path, root: Path) -> Source:
    chosen = visible_files(path) if path.is_dir() else [path]
    files = visible_files(root)
    return Source(root, _relative(files, root), _relative(chosen, root))


def _relative(files: list[Path], root: Path) -> tuple[str, ...]:
    return tuple(file.relative_to(root).as_posix() for file in files)


def _is_photo(file: Path) -> bool:
    return file.suffix.lower() in PHOTO_ENDINGS


def _is_for_labels(folder: Path) -> bool:
    """Whether the folder's name says that it holds labels, so that the photos lie beside it."""
    return re.search("annot|label|json|xml", folder.absolute().name.lower()) is not None


def split_in_name(name: str) -> str | None:
    """The split that a name speaks of: "instances_train2017" and "trainval" are train, "valid" is val."""
    words = re.findall("[a-z]+", name.lower())
    splits = {_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS}
    if splits == {"train", "val"}:
        return "train"
    return splits.pop() if len(splits) == 1 else None


def split_in_path(file: str) -> str | None:
    """The split that a file's name speaks of, else the nearest of its folders that does."""
    path = PurePosixPath(file)
    names = [path.stem, *(parent.name for parent in path.parents)]
    return next((split for name in names if (split := split_in_name(name))), None)
