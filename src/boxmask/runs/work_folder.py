"""A folder of several trainings that go on where they were stopped: its settings, its split and its lock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from filelock import FileLock, Timeout

from boxmask.atomic_write import output_error, remove_partial_files
from boxmask.data.contract import SplitDataset
from boxmask.data.split_file import write_split_file
from boxmask.errors import UsageError
from boxmask.outputs import write_output

LOCK = ".lock"
WAIT_SECONDS = 5.0  # for the workers of a killed training: they hold the lock until they end


@dataclass(frozen=True)
class WorkFolder:
    """A folder of several trainings.

    noun: what the folder holds, for messages: "comparison"
    """

    noun: ClassVar[str]
    path: Path

    @property
    def settings_file(self) -> Path:
        """The settings that all trainings share, as JSON. Its presence marks the folder."""
        return self.path / "settings.json"

    @property
    def split_file(self) -> Path:
        """The split of the photos."""
        return self.path / "split.json"

    @property
    def progress_file(self) -> Path:
        """How far the work has come, as JSON, while it is not finished."""
        return self.path / "progress.json"


WorkFolderT = TypeVar("WorkFolderT", bound=WorkFolder)


@contextmanager
def claim_folder(folder: WorkFolderT, subfolders: Sequence[str] = ()) -> Iterator[WorkFolderT]:
    """Create the folder if needed, and keep other processes out until the end of the block.

    A folder that is new stays only if its settings are recorded by then.

    subfolders: in which files are written, besides the folder itself

    Raises UsageError if another process works in it, or if it holds files of something else; OutputError if
    it cannot be written.
    """
    path = folder.path
    new = [missing for missing in (path, *path.parents) if not missing.exists()]
    try:
        _check_ours(folder)
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK, thread_local=False)
        lock.acquire(timeout=WAIT_SECONDS)
    except Timeout as error:
        raise UsageError(
            f"{path}: another process is at work on this {folder.noun}. Wait until it ends, or give another "
            "--out (in Python: out)."
        ) from error
    except OSError as error:
        raise output_error(path, error) from error
    try:
        for written in (path, *(path / name for name in subfolders)):
            remove_partial_files(written)
        yield folder
    finally:
        if not folder.settings_file.is_file():  # the command was wrong: nothing stays
            _remove_beginnings(path, new)
        lock.release()


def _remove_beginnings(path: Path, new: Sequence[Path]) -> None:
    """Remove the lock of a folder without settings, and the folders that were created for it: `new`."""
    with suppress(OSError):
        (path / LOCK).unlink()
        for created in new:
            created.rmdir()


def _check_ours(folder: WorkFolder) -> None:
    """Raise UsageError for a folder with files, but without settings."""
    path = folder.path
    if not path.exists() or folder.settings_file.is_file():
        return
    if not path.is_dir():
        raise UsageError(f"{path}: expected a folder. Give another --out (in Python: out).")
    files = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
    if files:
        raise UsageError(
            f"{path}: this folder holds files of something else, such as {files[0]}. Give another --out (in "
            "Python: out)."
        )


def check_settings(folder: WorkFolder, settings: Mapping[str, Any]) -> None:
    """Record the settings in a new folder. In an old one, raise UsageError for other settings."""
    wanted = json.loads(json.dumps(settings))
    if not folder.settings_file.is_file():
        with write_output(folder.settings_file) as partial:
            partial.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
        return
    known = _read_settings(folder)
    names = [name for name in {**known, **wanted} if known.get(name) != wanted.get(name)]
    if names:
        shown = "; ".join(f"{name}: {known.get(name)} there, {wanted.get(name)} here" for name in names[:5])
        raise UsageError(
            f"{folder.path}: this {folder.noun} began with other settings or labels ({shown}). Give the same "
            "ones, or another --out (in Python: out)."
        )


def _read_settings(folder: WorkFolder) -> dict[str, Any]:
    try:
        content = json.loads(folder.settings_file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("expected an object")
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{folder.settings_file}: these are not the settings of a {folder.noun} ({error}). Give another "
            "--out (in Python: out)."
        ) from error
    return content


def record_split(folder: WorkFolder, photos: SplitDataset) -> None:
    """Record the split of the photos, unless it is there. Record the settings first: they mark the folder."""
    if not folder.split_file.is_file():
        write_split_file(photos, folder.split_file)
