"""The results of finished photos, so that a prediction can be continued after an interruption.

The hidden file `.boxmask-results.jsonl` in the folder of the results has one line with the settings, and one
line per finished photo. A photo's line is appended after its files are complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from boxmask.atomic_write import atomic_write, output_error
from boxmask.errors import OutputError, UsageError
from boxmask.outputs import is_unchanged_output

JOURNAL = ".boxmask-results.jsonl"


@dataclass(frozen=True)
class PhotoToPredict:
    """A photo, and the name of its files without suffix."""

    photo: Path
    name: str

    def identity(self) -> dict[str, Any]:
        """What has to be equal for an earlier result to hold. Raises OSError if the photo is missing."""
        status = self.photo.stat()
        return {
            "photo": self.photo.as_posix(),
            "name": self.name,
            "size": status.st_size,
            "time": status.st_mtime_ns,
        }


class Journal:
    """The journal of one folder. Use it as a context: it is open for lines from `begin` on.

    outdated: files of the photos that `finished` found unfinished, as far as an earlier call wrote them
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._path = folder, folder / JOURNAL
        self.outdated: list[Path] = []
        self._file: BinaryIO | None = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def finished(
        self, photos: Iterable[PhotoToPredict], settings: Mapping[str, Any]
    ) -> dict[PhotoToPredict, dict[str, Any]]:
        """The entries of the photos that are unchanged, and whose files are complete and unchanged.

        Raises UsageError if the journal was begun with other settings.
        """
        first, entries = self._read()
        check_same_settings(self.folder, first, settings)
        finished = {}
        for item in photos:
            entry = entries.get(item.photo.as_posix())
            if entry is not None and all(map(_is_inside, entry["files"])):
                if self._holds(item, entry):
                    finished[item] = entry
                else:
                    self.outdated += self.files(entry)
        return finished

    def begin(self, settings: Mapping[str, Any], kept: Iterable[Mapping[str, Any]] = ()) -> None:
        """Write the settings and the entries that are kept. Raises OutputError as `atomic_write` does."""
        with atomic_write(self._path) as temporary, temporary.open("wb") as file:
            file.write(_line({"settings": settings}))
            file.writelines(map(_line, kept))
        try:
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise output_error(self._path, error) from error

    def add(self, identity: Mapping[str, Any], files: Iterable[Path], result: Mapping[str, Any]) -> None:
        """Append the entry of a photo whose files are written. Raises OutputError.

        identity: as `PhotoToPredict.identity` gave it before the photo was read: if the photo has changed
                  since, the result does not hold
        """
        names = [file.relative_to(self.folder).as_posix() for file in files]
        try:
            if self._file is not None:
                self._file.write(_line({**identity, "files": names, "result": result}))
        except OSError as error:
            raise output_error(self._path, error) from error

    def damaged(self) -> OutputError:
        """The error for an entry that does not hold a result."""
        return OutputError(
            f"{self._path}: this file is damaged. Leave out --resume (in Python: resume) to start over."
        )

    def files(self, entry: Mapping[str, Any]) -> list[Path]:
        """The files of an entry."""
        return [self.folder / name for name in entry["files"]]

    # ---------------------------------------------------------------- reading

    def _read(self) -> tuple[dict[str, Any] | None, dict[str, dict[str, Any]]]:
        """The settings, and the entries by photo. Damaged lines, as of a killed process, are skipped.

        Without settings, no entry counts: nobody knows which model it is of.
        """
        settings: dict[str, Any] | None = None
        entries: dict[str, dict[str, Any]] = {}
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return None, {}
        except OSError as error:
            raise output_error(self._path, error) from error
        for line in lines:
            match _parse(line):
                case {"settings": dict(found)}:
                    settings, entries = found, {}
                case {"photo": str(photo), "files": list(), "result": dict()} as entry:
                    if settings is not None:
                        entries[photo] = entry
        return settings, entries

    def _holds(self, item: PhotoToPredict, entry: Mapping[str, Any]) -> bool:
        """Whether the photo is the same as in the entry, and its files are complete and unchanged."""
        try:
            is_same = item.identity().items() <= entry.items()
        except OSError:  # the photo is missing, which reading it reports
            return False
        return is_same and all(is_unchanged_output(file, trust_time=True) for file in self.files(entry))


def check_same_settings(folder: Path, earlier: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> None:
    """Raise UsageError, naming the difference, if an earlier call had other settings."""
    if earlier is None:
        return
    for name, value in settings.items():
        found = earlier.get(name)
        if found != json.loads(json.dumps(value)):
            raise UsageError(
                f"{folder}: --resume (in Python: resume) cannot continue: {_difference(name, found, value)}. "
                "Use the same options, or leave out --resume to start over."
            )


def _difference(name: str, earlier: object, value: object) -> str:
    """What differs. The values of "model" and "with" are digests, which tell users nothing."""
    if name == "model":
        return "the results in this folder were made with another model"
    if name == "version":
        used = "an earlier version" if earlier is None else f"version {earlier}"
        return f"the earlier call used {used} of boxmask, and this one uses version {value}"
    if name == "with":
        return "the earlier call used other runs in --with"
    return f"the earlier call used {_shown(name, earlier)}, and this one uses {_shown(name, value)}"


def _shown(name: str, value: object) -> str:
    """An option as it is typed."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool) and name == "track":
        return flag if value else "--no-track"
    if value is None or value is False:
        return f"no {flag}"
    if value is True:
        return flag
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"{flag} {text}"


def _is_inside(name: object) -> bool:
    """Whether a name leads to a file below the folder."""
    return isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
