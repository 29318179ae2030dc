"""Write corrected objects into the label file of a photo, or bring an old version back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from boxmask.data.correction.correct import (
    PhotoPlace,
    are_boxes_close,
    correct,
    is_close,
    open_labels,
)
from boxmask.data.correction.label_text import LabelText, read_label_text
from boxmask.data.correction.new_files import empty_labels
from boxmask.data.correction.objects import FileObject, Shape, WantedObject
from boxmask.data.correction.versions import KeptVersion, kept_versions, write_version
from boxmask.data.text import read_bytes
from boxmask.errors import LabelError, OutputError, PhotoError
from boxmask.photos.size import photo_size
from boxmask.serving.datasets.data_set import DataSet
from boxmask.serving.datasets.objects import ViewObject
from boxmask.serving.datasets.snapshot import LastSave, Snapshot, stamp_of
from boxmask.serving.errors import RequestError

_SLACK = 0.01
"""Pixels by which a box that was shown may differ from the one in the file."""


@dataclass(frozen=True, slots=True)
class SavedObject:
    """An object as the client wants it.

    id:    of an object that was shown; None for a new one
    shape: None leaves it as it is
    """

    id: int | None
    class_name: str
    shape: Shape | None


def save(data: DataSet, photo: int, version: str, objects: Sequence[SavedObject]) -> KeptVersion | None:
    """Write the objects of a photo. Returns the old version of the file; None if there was no change or file.

    Raises RequestError if the photo has changed since the client saw it, and for what cannot be written.
    """
    with data.lock:
        snapshot = data.snapshot
        place = _place(snapshot, photo, version)
        shown = snapshot.objects(photo)
        _check_objects(objects, shown, snapshot)
        try:
            is_new = not place.file.exists()
            content = empty_labels(place, snapshot.root / snapshot.index.files[photo]) if is_new else b""
            text = LabelText(place.file, content) if is_new else read_label_text(place.file)
            labels = open_labels(place, text)
            in_file = list(labels.objects)
            number_of = _match(shown, in_file, place)
            wanted_objects, seen = _wanted_objects(objects, shown, in_file, number_of)
            corrected = correct(place, labels, text, wanted_objects)
        except LabelError as error:
            raise RequestError(422, "labels-refused", str(error)) from error
        old = text.encode(text.data)
        if corrected.content == old:
            return None
        kept = _write(snapshot, place, corrected.content, None if is_new else old)
        if is_new:
            snapshot.places.new_files[photo] = place.file
        if kept is not None:
            snapshot.last_saves[place.file] = LastSave(photo, kept, shown)
        snapshot.set_objects(photo, _views(corrected.objects, wanted_objects, seen, shown))
        return kept


def restore(data: DataSet, photo: int, version: str, number: int) -> None:
    """Bring an old version of the label file of a photo back. The present one is kept, too.

    If other photos may have changed with it, the data set is read again. Raises RequestError as `save` does,
    and if there is no such version.
    """
    with data.lock:
        snapshot = data.snapshot
        place = _place(snapshot, photo, version)
        wanted = next((old for old in kept_versions(place.file) if old.number == number), None)
        if wanted is None:
            raise RequestError(
                404, "unknown-version", f"{place.file.name} has no version {number}. Load the photo again."
            )
        last = snapshot.last_saves.get(place.file)
        _write(snapshot, place, read_bytes(wanted.path), read_bytes(place.file))
        is_last = last is not None and last.photo == photo and last.kept.number == number
        if last is not None and is_last:
            del snapshot.last_saves[place.file]
            snapshot.set_objects(photo, last.before)
        else:
            data.read_again()


def label_file_name(snapshot: Snapshot, photo: int) -> str:
    """The label file of a photo, relative to the data set; "" if it has none."""
    file = snapshot.places.label_file(photo, snapshot.index)
    if file is None:
        return ""
    root = snapshot.report.root
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


# ---------------------------------------------------------------- before writing


def _place(snapshot: Snapshot, photo: int, version: str) -> PhotoPlace:
    """Where the labels of a photo are. Raises RequestError if they cannot be corrected, or have changed."""
    if version != snapshot.version(photo):  # first: after another reading, there may be fewer photos
        raise RequestError(
            409,
            "photo-changed",
            "the labels of this photo were changed elsewhere since it was loaded. Load the photo again.",
        )
    obstacle = snapshot.places.obstacle_of(photo, snapshot.index)
    if obstacle is not None:
        raise RequestError(409, f"not-corrected-{obstacle.code}", obstacle.message)
    height, width = snapshot.index.sizes[photo].tolist()
    try:
        size = (height, width) if height else photo_size(snapshot.root / snapshot.index.files[photo])
        place = snapshot.places.place(photo, snapshot.index, size)
    except (LabelError, PhotoError) as error:
        raise RequestError(409, "not-corrected", str(error)) from error
    if snapshot.is_changed(place.file):
        raise RequestError(
            409,
            "labels-changed",
            f"{place.file.name} was changed by another program since it was read. Read the data set again.",
        )
    return place


def _check_objects(objects: Sequence[SavedObject], shown: Sequence[ViewObject], snapshot: Snapshot) -> None:
    ids = [each.id for each in objects if each.id is not None]
    if len(set(ids)) < len(ids) or any(not 0 <= known < len(shown) for known in ids):
        raise RequestError(422, "invalid", "objects: each id must be one of this photo, and be given once.")
    for number, each in enumerate(objects):
        if each.class_name not in snapshot.index.class_names:
            names = ", ".join(snapshot.index.class_names[:20])
            raise RequestError(
                422,
                "unknown-class",
                f"objects[{number}]: there is no class {each.class_name[:60]!r}; the classes are: {names}",
            )
        if each.id is None and each.shape is None:
            raise RequestError(422, "invalid", f"objects[{number}]: a new object needs a box or a polygon.")
        is_fixed = each.id is not None and shown[each.id].shape is None
        if each.shape is not None and is_fixed:
            raise RequestError(
                422,
                "invalid",
                f"objects[{number}]: this outline cannot be drawn anew. Leave its shape out.",
            )


def _match(shown: Sequence[ViewObject], in_file: Sequence[FileObject], place: PhotoPlace) -> list[int]:
    """The number in the file of each object that was shown. Both are in the order of the file.

    Raises LabelError if one is not found: the file then means something else than what was shown.
    """
    numbers, start = [], 0
    for each in shown:
        found = next((n for n in range(start, len(in_file)) if _is_same(each, in_file[n])), None)
        if found is None:
            raise LabelError.in_file(
                place.file,
                f"the {each.class_name} that was shown is not found in this file as it was shown, so nothing "
                "is changed. See what boxmask check finds in it, and correct that first.",
            )
        numbers.append(found)
        start = found + 1
    return numbers


def _is_same(shown: ViewObject, found: FileObject) -> bool:
    if shown.class_name != found.class_name:
        return False
    if shown.box is not None and found.box is not None and not are_boxes_close(shown.box, found.box, _SLACK):
        return False
    drawn = shown.shape
    return drawn is None or (found.shape is not None and is_close(drawn, found.shape, _SLACK))


def _wanted_objects(
    objects: Sequence[SavedObject],
    shown: Sequence[ViewObject],
    in_file: Sequence[FileObject],
    number_of: Sequence[int],
) -> tuple[list[WantedObject], set[int]]:
    """The wanted_objects for all objects of the file, and the numbers of those that were shown.

    Objects that were not shown, such as those of classes that are left out, stay.
    """
    seen = set(number_of)
    wanted_objects = [WantedObject(n, found.class_name) for n, found in enumerate(in_file) if n not in seen]
    for each in objects:
        if each.id is None:
            wanted_objects.append(WantedObject(None, each.class_name, each.shape))
            continue
        number, old = number_of[each.id], shown[each.id].shape
        is_moved = each.shape is not None and not (old is not None and is_close(each.shape, old, _SLACK))
        wanted_objects.append(WantedObject(number, each.class_name, each.shape if is_moved else None))
    return wanted_objects, seen


# ---------------------------------------------------------------- writing


def _write(snapshot: Snapshot, place: PhotoPlace, content: bytes, old: bytes | None) -> KeptVersion | None:
    """Write a label file, and keep the old content if there is any."""
    try:
        kept = write_version(place.file, content, old)
    except OutputError as error:
        raise RequestError(507, "not-written", str(error)) from error
    snapshot.stamps[place.file] = stamp_of(place.file)
    return kept


def _views(
    found: Sequence[FileObject],
    wanted_objects: Sequence[WantedObject],
    seen: set[int],
    shown: Sequence[ViewObject],
) -> tuple[ViewObject, ...]:
    """The objects of the photo as the file holds them now, without those that are not shown."""
    kept = sorted((wanted.number, wanted) for wanted in wanted_objects if wanted.number is not None)
    numbers = [number for number, _ in kept]
    before = dict(zip(sorted(seen), shown, strict=True))
    views = []
    for position, each in enumerate(found):
        number = numbers[position] if position < len(numbers) else None
        if number is None or number in seen:
            views.append(ViewObject.of_file(each, None if number is None else before[number]))
    return tuple(views)
