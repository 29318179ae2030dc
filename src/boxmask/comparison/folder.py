"""The folder of a comparison: its files, its settings, and the lock that keeps other processes out.

settings.json    the settings that all models share; another command needs another folder
split.json       the split of the photos
runs/NAME/       the trainings
models/NAME/     what was found and measured, per model
comparison.json  comparison.csv  report.html
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from boxmask.atomic_write import output_error, remove_partial_files
from boxmask.errors import UsageError
from boxmask.outputs import write_output

SETTINGS, LOCK = "settings.json", ".lock"


@dataclass(frozen=True)
class ComparisonFolder:
    """The folder of a comparison."""

    path: Path

    @property
    def settings_file(self) -> Path:
        """The settings that all models share, as JSON."""
        return self.path / SETTINGS

    @property
    def split_file(self) -> Path:
        """The split of the photos."""
        return self.path / "split.json"

    @property
    def json_file(self) -> Path:
        """The result as JSON."""
        return self.path / "comparison.json"

    @property
    def csv_file(self) -> Path:
        """The result as a table with one row per model."""
        return self.path / "comparison.csv"

    @property
    def report_file(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def worker_lock(self) -> Path:
        """The lock that the process of a model holds: after a kill, it may need seconds to end."""
        return self.path / ".worker.lock"

    def run(self, slug: str) -> Path:
        """The folder of a training."""
        return self.path / "runs" / slug

    def model(self, slug: str) -> Path:
        """The folder of what was found and measured."""
        return self.path / "models" / slug


@contextmanager
def claim_comparison(path: Path) -> Iterator[ComparisonFolder]:
    """Create the folder if needed, and keep other processes out until the end of the block.

    Raises UsageError if another process works in it, or if it holds files of something else; OutputError if
    it cannot be written.
    """
    folder = ComparisonFolder(path)
    _check_ours(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK, thread_local=False)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(f"{path}: another process is comparing in this folder. Wait for it.") from error
    except OSError as error:
        raise output_error(path, error) from error
    try:
        remove_partial_files(path)
        yield folder
    finally:
        if not folder.settings_file.is_file():  # the command was wrong: nothing stays
            _remove_empty(folder)
        lock.release()


def _remove_empty(folder: ComparisonFolder) -> None:
    """Remove the folder, if it holds nothing but the lock."""
    if [file.name for file in folder.path.iterdir()] == [LOCK]:
        with contextlib.suppress(OSError):
            (folder.path / LOCK).unlink()
            folder.path.rmdir()


def _check_ours(folder: ComparisonFolder) -> None:
    """Raise UsageError for a folder with files, but without a comparison."""
    if not folder.path.exists() or folder.settings_file.is_file():
        return
    if not folder.path.is_dir():
        raise UsageError(f"{folder.path}: expected a folder. Give another --out (in Python: out).")
    files = [file.name for file in folder.path.iterdir() if not file.name.startswith(".")]
    if set(files) - {folder.split_file.name}:
        raise UsageError(
            f"{folder.path}: this folder holds files of something else, such as {sorted(files)[0]}. Give "
            "another --out (in Python: out)."
        )


def check_settings(folder: ComparisonFolder, settings: Mapping[str, Any]) -> None:
    """Record the settings in a new folder. In an old one, raise UsageError for other settings."""
    wanted = json.loads(json.dumps(settings))
    if not folder.settings_file.is_file():
        with write_output(folder.settings_file) as partial:
            partial.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
        return
    known = _read_settings(folder.settings_file)
    names = [name for name in {**known, **wanted} if known.get(name) != wanted.get(name)]
    if names:
        shown = "; ".join(f"{name}: {known.get(name)} there, {wanted.get(name)} here" for name in names[:5])
        raise UsageError(
            f"{folder.path}: this comparison began with other settings or labels ({shown}). Give the same "
            "ones, or another --out (in Python: out)."
        )


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("expected an object")
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path}: these are not the settings of a comparison ({error}). Give another --out (in Python: "
            "out)."
        ) from error
    return content
