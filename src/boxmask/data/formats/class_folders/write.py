"""Write class folders: `CLASS/a.jpg`, or `train/CLASS/a.jpg` with splits.

Photos whose objects all have one class go to its folder. Crowd regions and difficult objects do not count.
Other photos are not written.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.formats.contract import ClassNames, Losses, PhotoToWrite
from boxmask.data.formats.losses import note_unheld_classes, note_unheld_marks
from boxmask.errors import UsageError
from boxmask.options import option

_INBOX = "photos"
_UNUSABLE = re.compile(r"[/\\\x00-\x1f]|^\.|^\s|\s$")

_WITHOUT_CLASS = "photos without objects are not written, because they have no class"
_SEVERAL = "photos with objects of several classes are not written"
_OBJECTS = "class folders hold one class per photo; boxes and outlines of objects are not written"
_NO_SPLIT = "photos in no split are not written, because others are in one"


@dataclass(frozen=True, slots=True)
class _Item:
    file: str
    split: str
    class_name: str


class ClassFolderWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "class-folders"

    def photo_file(self, file: str, split: str) -> str:
        """Where photos lie before `write` moves them to the folders of their classes."""
        return posixpath.join(_INBOX, split or "none", file)

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Move each photo to the folder of its class.

        Raises UsageError if photos are not copied, if none has one class, and for class names that no folder
        can have.
        """
        _check_names(class_names)
        items = [item for photo in photos if (item := _item(photo, losses))]
        if any(item.split for item in items):
            for item in items:
                if not item.split:
                    losses.add(_NO_SPLIT, item.file)
            items = [item for item in items if item.split]
        if not items:
            raise UsageError("class-folders: no photo has objects of exactly one class.")
        for item, target in zip(items, _targets(items), strict=True):
            self._move(item, folder, target)
        shutil.rmtree(folder / _INBOX)
        note_unheld_classes(class_names, {item.class_name for item in items}, losses)
        return []

    def _move(self, item: _Item, folder: Path, target: str) -> None:
        photo = folder / self.photo_file(item.file, item.split)
        if not photo.exists():
            raise UsageError(
                f"class-folders: the folder of a photo is its label. Use {option('photos', 'copy')} or "
                f"{option('photos', 'link')}."
            )
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        photo.rename(folder / target)


def _targets(items: Sequence[_Item]) -> list[str]:
    """Where photos go. A photo that lay in a folder of its class before does not get a second one."""
    for names in ([item.file.removeprefix(f"{item.class_name}/") for item in items], [i.file for i in items]):
        targets = [
            posixpath.join(item.split, item.class_name, name) for item, name in zip(items, names, strict=True)
        ]
        if len({target.casefold() for target in targets}) == len(targets):
            break
    return targets


def _item(photo: PhotoToWrite, losses: Losses) -> _Item | None:
    """The photo with its class; None if it has none or several."""
    names = {labeled.class_name for labeled in photo.objects if not (labeled.crowd or labeled.difficult)}
    if len(names) != 1:
        losses.add(_SEVERAL if names else _WITHOUT_CLASS, photo.file)
        return None
    height, width = photo.size
    if any(
        list(labeled.box) != [0, 0, width, height] or labeled.outline is not None for labeled in photo.objects
    ):
        losses.add(_OBJECTS, photo.file)
    note_unheld_marks(photo, losses)
    return _Item(photo.file, photo.split, names.pop())


def _check_names(class_names: ClassNames) -> None:
    for name in class_names:
        if not name or _UNUSABLE.search(name):
            raise UsageError(f"class-folders: no folder can be called {name!r}. Rename this class.")
