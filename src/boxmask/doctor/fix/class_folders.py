"""Merge class folders whose names are spellings of one class."""

from __future__ import annotations

from boxmask.data.class_names import CLASS_NAME_SPELLINGS
from boxmask.doctor.fix.mending import Change, Mending
from boxmask.names import class_name


def merge_class_folders(mending: Mending) -> None:
    """Move photos to the folder with the class's name, out of folders that spell it in another way."""
    labels = mending.labels
    taken = {file.casefold() for file in mending.files}
    for row, index in enumerate(labels.photo_of.tolist()):
        old, name = mending.files[index], labels.class_names[labels.labels[row]]
        parts = old.split("/")
        new = "/".join(name if class_name(part) == name else part for part in parts[:-1]) + f"/{parts[-1]}"
        if new == old or (new.casefold() in taken and new.casefold() != old.casefold()):
            continue
        taken.add(new.casefold())
        location = labels.photos[index].location
        why = f"the folder of the class is {name}"
        mending.changes.append(Change(CLASS_NAME_SPELLINGS, location, "photo", old, new, why))
        mending.files[index] = new
