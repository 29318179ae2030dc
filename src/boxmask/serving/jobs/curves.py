"""The curves of a training, from log.jsonl. Only what was appended is read again."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from boxmask.json_numbers import is_number
from boxmask.training.curve import COUNTS, MAX_VALUE
from boxmask.training.progress import NOT_LOSSES

MAX_POINTS = 400  # of a curve; of a long training, every second, fourth, ... row is kept
MAX_NAMES = 24
MAX_READ = 2**24  # bytes at a time


class Validation(BaseModel):
    """The metrics on the validation photos at one time."""

    minutes: float
    metrics: dict[str, float]


class Curves(BaseModel):
    """Losses and speed over the minutes of training, and the validations."""

    minutes: list[float]
    losses: dict[str, list[float | None]] = Field(description="By name, one value per entry of minutes.")
    images_per_second: list[float | None]
    validations: list[Validation]


class LogReader:
    """Follows one log.jsonl.

    last: the newest row, with the fields of log.jsonl
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._forget(-1)

    def _forget(self, inode: int) -> None:
        self._inode, self._position, self._stride, self._count = inode, 0, 1, 0
        self._rows: list[dict[str, float]] = []
        self._validations: list[Validation] = []
        self.last: dict[str, Any] = {}

    def refresh(self) -> None:
        """Read what was appended since the last call. A resumed training begins a new file."""
        try:
            status = self._file.stat()
            if status.st_ino != self._inode or status.st_size < self._position:
                self._forget(status.st_ino)
            if status.st_size == self._position:
                return
            with self._file.open("rb") as file:
                file.seek(self._position)
                complete, newline, _ = file.read(MAX_READ).rpartition(b"\n")
        except OSError:  # no log yet
            return
        self._position += len(complete) + len(newline)
        for line in complete.split(b"\n"):
            self._add(line)

    def _add(self, line: bytes) -> None:
        try:
            row = json.loads(line)
            minutes = _number(row["minutes"])
        except (ValueError, KeyError, TypeError, RecursionError):  # damaged by a full disk
            return
        if minutes is None:
            return
        self.last = row
        if isinstance(row.get("val"), dict):
            metrics = _numbers(row["val"], COUNTS)
            self._validations = _thin([*self._validations, Validation(minutes=minutes, metrics=metrics)])
            return
        self._count += 1
        if self._count % self._stride == 0:
            kept = _numbers(row, NOT_LOSSES - {"minutes", "images_per_second"})
            self._rows.append(kept)
        if len(self._rows) > 2 * MAX_POINTS:
            self._rows, self._stride = self._rows[1::2], 2 * self._stride

    @property
    def validations(self) -> list[Validation]:
        """All validations so far."""
        return self._validations

    def curves(self) -> Curves:
        """All curves so far."""
        rows = self._rows[:: 1 + len(self._rows) // MAX_POINTS]
        if self._rows and rows[-1] is not self._rows[-1]:
            rows = [*rows, self._rows[-1]]
        names = dict.fromkeys(name for row in rows for name in row)
        losses = [name for name in names if name not in ("minutes", "images_per_second")][:MAX_NAMES]
        return Curves(
            minutes=[row["minutes"] for row in rows],
            losses={name: [row.get(name) for row in rows] for name in losses},
            images_per_second=[row.get("images_per_second") for row in rows],
            validations=self._validations,
        )


def _thin(validations: list[Validation]) -> list[Validation]:
    """Every second of too many validations."""
    return validations[1::2] if len(validations) > MAX_POINTS else validations


def _numbers(row: dict[str, Any], without: set[str]) -> dict[str, float]:
    """The finite numbers of a row by name."""
    found = {name: _number(value) for name, value in row.items() if name not in without}
    return {name: value for name, value in found.items() if value is not None}


def _number(value: object) -> float | None:
    is_usable = is_number(value) and math.isfinite(value) and abs(value) < MAX_VALUE
    return round(float(value), 5) if is_usable else None  # type: ignore[arg-type]
