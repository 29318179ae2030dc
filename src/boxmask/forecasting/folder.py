"""The folder of a forecast: its files, its settings, and the lock that keeps other processes out.

settings.json         the settings of the trainings; another command needs another folder
split.json            the split of the photos
parts/NAME.json       the split with a part of the training photos
trainings/NAME/run/   the runs
evaluations/NAME.json the evaluations
forecast.json  forecast.html  forecast.png  forecast.svg  forecast.csv
label-next.csv  label-next.jpg    the photos to label next
pool.jsonl            what is known about each photo of the pool
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from boxmask.atomic_write import output_error, remove_partial_files
from boxmask.errors import UsageError
from boxmask.outputs import write_output

LOCK, PARTS, EVALUATIONS = ".lock", "parts", "evaluations"
WAIT_SECONDS = 5.0  # for the workers of a killed training: they hold the lock until they end


@dataclass(frozen=True)
class ForecastFolder:
    """The folder of a forecast."""

    path: Path

    @property
    def settings_file(self) -> Path:
        """The settings of the trainings, as JSON."""
        return self.path / "settings.json"

    @property
    def split_file(self) -> Path:
        """The split of the photos."""
        return self.path / "split.json"

    def part_file(self, name: str) -> Path:
        """The split with a part of the training photos."""
        return self.path / PARTS / f"{name}.json"

    def run(self, name: str) -> Path:
        """The folder of a training. It has no others beside it, whose weights it could start from."""
        return self.path / "trainings" / name / "run"

    def evaluation_file(self, name: str) -> Path:
        """The evaluation of a training."""
        return self.path / EVALUATIONS / f"{name}.json"

    @property
    def label_next_file(self) -> Path:
        """The list of the photos to label next."""
        return self.path / "label-next.csv"

    @property
    def label_next_sheet(self) -> Path:
        """The picture of the photos to label next."""
        return self.path / "label-next.jpg"

    def result(self, suffix: str) -> Path:
        """The forecast as JSON, CSV, HTML or a chart."""
        return self.path / f"forecast{suffix}"


@contextmanager
def claim_forecast(path: Path) -> Iterator[ForecastFolder]:
    """Create the folder if needed, and keep other processes out until the end of the block.

    Raises UsageError if another process works in it, or if it holds files of something else; OutputError if
    it cannot be written.
    """
    folder = ForecastFolder(path)
    _check_ours(folder)
    new = [missing for missing in (path, *path.parents) if not missing.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK, thread_local=False)
        lock.acquire(timeout=WAIT_SECONDS)
    except Timeout as error:
        raise UsageError(f"{path}: another process is forecasting in this folder. Wait for it.") from error
    except OSError as error:
        raise output_error(path, error) from error
    try:
        for written in (path, path / PARTS, path / EVALUATIONS):
            remove_partial_files(written)
        yield folder
    finally:
        lock.release()
        if not folder.settings_file.is_file():
            _remove_beginnings(folder, new)


def _remove_beginnings(folder: ForecastFolder, new: Sequence[Path]) -> None:
    """Remove what was written before the labels were found to be unfit; `new` are the created folders."""
    for file in (folder.split_file, folder.path / LOCK):
        with suppress(OSError):
            file.unlink()
    for created in new:
        with suppress(OSError):
            created.rmdir()


def _check_ours(folder: ForecastFolder) -> None:
    """Raise UsageError for a folder with files, but without a forecast."""
    path = folder.path
    if not path.exists() or folder.settings_file.is_file():
        return
    if not path.is_dir():
        raise UsageError(f"{path}: expected a folder. Give another --out (in Python: out).")
    files = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
    if files not in ([], [folder.split_file.name]):
        raise UsageError(
            f"{path}: this folder holds files of something else, such as {files[0]}. Give another --out (in "
            "Python: out)."
        )


def check_settings(folder: ForecastFolder, settings: Mapping[str, Any]) -> None:
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
            f"{folder.path}: this forecast began with other settings or labels ({shown}). Give the same "
            "ones, or another --out (in Python: out)."
        )


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("expected an object")
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path}: these are not the settings of a forecast ({error}). Give another --out (in Python: "
            "out)."
        ) from error
    return content
