"""Split files: JSON that names the training, validation and test photos of a data set.

    {"train": ["images/a.jpg", ...], "val": [...], "test": [...],
     "contents": {"images/a.jpg": "83021-9f3c0d2e...", ...},
     "drawn": {"seed": 0, "shares": {"test": 0.2, "val": 0.1}, "group_by": null, "vanished": {}}}

`contents` is optional. It tells photos apart that have the same name in two data sets. `drawn` tells how
boxmask drew the split; photos that are added to the data set can then join it. `unused`, a list like `train`,
names the photos of the data set that are in no split.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from boxmask.atomic_write import atomic_write
from boxmask.data.contract import SPLITS, SplitDataset, SplitDatasetT
from boxmask.data.draw import Draw
from boxmask.data.json_text import read_json
from boxmask.data.photo_digest import photo_digest
from boxmask.data.split import without_unsplit_photos
from boxmask.data.text import read_beginning
from boxmask.errors import LabelError
from boxmask.messages import add_hints, format_count, format_errors, format_note
from boxmask.names import AmbiguousNameError, Match, NameIndex
from boxmask.options import option
from boxmask.similar_names import did_you_mean

CONTENTS, DRAWN, UNUSED = "contents", "drawn", "unused"
_OPENING = re.compile(r'\s*\{\s*"(?:(?:train|val|test)"\s*:\s*\[|contents"\s*:\s*\{)')


@dataclass(frozen=True, slots=True)
class SplitFile:
    """The content of a split file.

    splits:   "train", "val" or "test" by photo
    contents: the digest of each photo, see `photo_digest`; none in files that people or old versions wrote
    draw:     how the splits were drawn; None if they were given
    unused:   photos of the data set that are in no split
    """

    path: Path
    splits: dict[str, str]
    contents: dict[str, str]
    draw: Draw | None = None
    unused: tuple[str, ...] = ()


def write_split_file(dataset: SplitDataset, path: str | Path, unused: Sequence[str] = ()) -> None:
    """Write the splits of a data set and the digests of its photos as JSON, atomically.

    unused: further photos, which are in no split
    """
    content: dict[str, object] = {name: dataset.files[dataset.splits == name].tolist() for name in SPLITS}
    draw = dataset.draw
    known = draw.contents if draw else {}
    digests = {
        file: known[file] if file in known else photo_digest(dataset.root / file)
        for file in dataset.files.tolist()
    }
    if draw:
        digests |= {file: known.get(file, "") for file in draw.vanished}
        content[DRAWN] = draw.to_json()
    if unused:
        content[UNUSED] = list(unused)
    content[CONTENTS] = {file: digest for file, digest in digests.items() if digest}
    with atomic_write(Path(path)) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- reading


def is_split_file(path: Path) -> bool:
    """Whether a JSON file looks like a split file. Only its beginning is read."""
    if path.suffix.lower() != ".json":
        return False
    try:
        return _OPENING.match(read_beginning(path)) is not None
    except LabelError:
        return False


def read_split_file(path: str | Path) -> SplitFile:
    """Read a split file. Raises LabelError for another form and for a photo that it names twice."""
    path = Path(path)
    content = read_json(path, "split file")
    if not isinstance(content, dict) or not _has_split_form(content):
        raise LabelError(f'{path}: expected {{"train": [files], "val": [files], "test": [files]}}.')
    contents, drawn, unused = content.pop(CONTENTS, {}), content.pop(DRAWN, None), content.pop(UNUSED, [])
    pairs = [(file, split) for split, files in content.items() for file in files]
    _check_named_once(path, [*(file for file, _ in pairs), *unused])
    return SplitFile(path, dict(pairs), contents, _read_draw(path, drawn), tuple(unused))


def _read_draw(path: Path, drawn: object) -> Draw | None:
    """The record of the draw, if there is one. Raises LabelError if it is damaged."""
    try:
        return None if drawn is None else Draw.from_json(drawn)
    except ValueError as error:
        remedy = "Restore the file, or remove this field: photos that are added then cannot join the split."
        raise LabelError(f'{path}: "{DRAWN}": {error}. {remedy}') from error


def _has_split_form(content: Mapping[str, object]) -> bool:
    """Whether a JSON object has the fields of a split file, and no others."""
    lists = [files for key, files in content.items() if key not in (CONTENTS, DRAWN)]
    contents = content.get(CONTENTS, {})
    return (
        set(content) <= {*SPLITS, CONTENTS, DRAWN, UNUSED}
        and all(isinstance(files, list) and all(isinstance(file, str) for file in files) for files in lists)
        and isinstance(contents, dict)
        and all(isinstance(digest, str) for digest in contents.values())
    )


def _check_named_once(path: Path, files: Sequence[str]) -> None:
    twice = sorted(file for file, count in Counter(files).items() if count > 1)
    if twice:
        raise LabelError(format_errors(f"Photos that {path} names twice", twice, "Keep each in one split."))


# ---------------------------------------------------------------- applying


def apply_split_file(
    dataset: SplitDatasetT,
    path: str | Path,
    on_different_photos: Literal["error", "skip"] = "error",
) -> SplitDatasetT:
    """Replace the splits of a data set with those of a split file.

    on_different_photos: what to do with photos that only the file or only the data set names, because photos
                         were added or removed: stop, or leave them out

    Names are matched as `boxmask.names` does. Inexact matches and photos with other contents are noted.
    Raises LabelError for a file in another form, and for names that fit several photos; with "error", also
    for such photos. The file may omit photos that the data set's own splits leave out.
    """
    file = read_split_file(path)
    index = NameIndex(dataset.files.tolist())
    matches = _match(file, index)
    by_photo = {match.file: name for name, match in matches.items()}
    left_out = set(dataset.files[dataset.splits == ""].tolist()) if "train" in dataset.splits else set()
    unnamed = sorted(set(dataset.files.tolist()) - by_photo.keys() - left_out)
    absent = sorted(file.splits.keys() - matches.keys())
    if on_different_photos == "error":
        _check_same_photos(file.path, dataset.files.tolist(), unnamed, absent)
    splits = np.array(
        [file.splits.get(by_photo[f], "") if f in by_photo else "" for f in dataset.files.tolist()], "<U5"
    )
    notes = (
        *format_note(f"no longer there: {format_count(len(absent), 'photo')} of {file.path}", absent),
        *_notes_on_matches(file, matches),
        *_note_on_contents(file, dataset.root, matches),
    )
    split = replace(dataset, splits=splits, notes=dataset.notes + notes)
    return without_unsplit_photos(split)


def splits_in_file(path: str | Path, photos: Sequence[str]) -> dict[str, str]:
    """The split of each photo that a split file names. Photos that only one of the two names are left out.

    Raises LabelError for a file in another form, and for names that fit several photos.
    """
    file = read_split_file(path)
    matches = _match(file, NameIndex(photos))
    return {match.file: file.splits[name] for name, match in matches.items() if name in file.splits}


def changed_photos(file: SplitFile, root: Path, photos: Mapping[str, str]) -> list[str]:
    """The photos whose contents are not those in a split file; none if the file has no contents.

    photos: the photo of each name in the file
    """
    return [
        photo
        for name, photo in photos.items()
        if name in file.contents and file.contents[name] != photo_digest(root / photo)
    ]


def _match(file: SplitFile, index: NameIndex) -> dict[str, Match]:
    """The photo of each name. Raises LabelError unless names and photos match one to one."""
    matches: dict[str, Match] = {}
    names_of: dict[str, list[str]] = defaultdict(list)
    for name in (*file.splits, *file.unused):
        try:
            match = index.find(name)
        except AmbiguousNameError as error:
            raise LabelError(f"{file.path}: {error}. Write the name with its folders.") from error
        if match:
            matches[name] = match
            names_of[match.file].append(name)
    twice = [f"{photo}: {' and '.join(names)}" for photo, names in names_of.items() if len(names) > 1]
    if twice:
        raise LabelError(
            format_errors(f"Photos that {file.path} names twice", twice, "Keep each in one split.")
        )
    return matches


def _check_same_photos(
    path: Path, photos: Sequence[str], unnamed: Sequence[str], absent: Sequence[str]
) -> None:
    remedy = (
        f"Correct {path}, do without it to draw a new split, or leave these photos out with "
        f"{option('on_bad_photos', 'skip')}."
    )
    if unnamed:
        raise LabelError(format_errors("Photos that the split file does not name", unnamed, remedy))
    if absent:
        lines = add_hints(absent, absent, lambda name: did_you_mean(name, photos))
        raise LabelError(format_errors("Photos of the split file that the data set lacks", lines, remedy))


def _notes_on_matches(file: SplitFile, matches: Mapping[str, Match]) -> tuple[str, ...]:
    lines = [match.describe(name) for name, match in matches.items() if not match.is_exact]
    return format_note(f"names in {file.path} that are not spelled as their files", lines)


def _note_on_contents(file: SplitFile, root: Path, matches: Mapping[str, Match]) -> tuple[str, ...]:
    photos = {name: match.file for name, match in matches.items()}
    return format_note(
        f"photos whose contents have changed since {file.path} was written",
        changed_photos(file, root, photos),
    )
