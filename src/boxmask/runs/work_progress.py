"""progress.json: how far the work in a folder of several trainings has come, for programs that watch it."""

from __future__ import annotations

import json
import time
from typing import Any

from boxmask.atomic_write import atomic_write
from boxmask.runs.work_folder import WorkFolder

SECONDS_BETWEEN_WRITES = 1.0


class WorkProgress:
    """Writes progress.json: plain values by name, those that were told last.

    While nothing but steps change, it is written once a second at most.
    Raises OutputError if the disk is full.
    """

    def __init__(self, folder: WorkFolder) -> None:
        self._file = folder.progress_file
        self._values: dict[str, Any] = {}
        self._written = 0.0

    def tell(self, **values: Any) -> None:
        """Record values, and write them."""
        self._values |= values
        self._written = time.monotonic()
        with atomic_write(self._file) as partial:
            partial.write_text(json.dumps(self._values) + "\n", encoding="utf-8")

    def tell_soon(self, **values: Any) -> None:
        """Record values that change often. They are written unless that was just done."""
        self._values |= values
        if time.monotonic() - self._written > SECONDS_BETWEEN_WRITES:
            self.tell()

    def finish(self) -> None:
        """Remove the file: the results say everything."""
        self._file.unlink(missing_ok=True)
