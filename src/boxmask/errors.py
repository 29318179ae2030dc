"""The errors that boxmask raises for the user: each says what is wrong, where, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from boxmask.cache_folder import with_archive_names


class BoxmaskError(Exception):
    """Base class of all errors meant for the user. The command line prints the message and exits with 1.

    file, line, column: the place in a file, for an error that `in_file` made; otherwise "", None, None
    """

    file: str = ""
    line: int | None = None
    column: int | None = None
    _reason: str | None = None

    @property
    def reason(self) -> str:
        """What is wrong: the message without the place."""
        return str(self) if self._reason is None else with_archive_names(self._reason)

    @classmethod
    def in_file(
        cls, path: str | Path, reason: str, line: int | None = None, column: int | None = None
    ) -> Self:
        """An error in a file. Its message begins with the place: "a.json:3:7: broken JSON"."""
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        error = cls(f"{place}: {reason}")
        error.file, error.line, error.column, error._reason = str(path), line, column, reason
        return error

    def __str__(self) -> str:
        """The message, in which files of unpacked archives are named as members of their archive."""
        return with_archive_names(super().__str__())


class UsageError(BoxmaskError):
    """An argument is invalid. The command line exits with 2."""


class PhotoError(BoxmaskError):
    """A photo is missing, damaged or not an image."""


class VideoError(BoxmaskError):
    """A video or camera is missing, damaged or not a video."""


class LabelError(BoxmaskError):
    """Labels are unreadable or invalid. The message names the file and, if known, the line."""


class CheckpointError(BoxmaskError):
    """A checkpoint is damaged, incomplete or of another kind."""


class WeightsError(BoxmaskError):
    """Pretrained weights are not available from the requested source."""


class TrainingError(BoxmaskError):
    """Training cannot continue, for example because the loss is no longer finite."""


class ExportError(BoxmaskError):
    """An exported file does not give the results of its model."""


class OutputError(BoxmaskError, OSError):
    """A file cannot be written, for example because the disk is full or its folder is read-only."""


class DiskFullError(OutputError):
    """The disk is full, so that no further file can be written either."""
