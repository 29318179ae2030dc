"""A data set that is read and checked in a thread, once and whenever it is asked for again."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Literal, TypeAlias

from boxmask.doctor.check import check_data
from boxmask.doctor.report import CheckReport
from boxmask.errors import BoxmaskError
from boxmask.serving.datasets.findings import FindingIndex
from boxmask.serving.datasets.snapshot import Snapshot
from boxmask.serving.errors import RequestError

DataState: TypeAlias = Literal["reading", "checking", "ready", "failed"]

_SECONDS_BETWEEN_LOOKS = 5.0
"""The label files are looked at this often for changes by others."""


class DataSet:
    """A data set of the server.

    lock: held while its labels are written or exchanged
    state: "reading" the labels, "checking" the photos, while labels can be seen already, "ready", or "failed"
    progress: the photos that were checked, and all photos
    error: why it failed
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.lock = threading.RLock()
        self.state: DataState = "reading"
        self.progress = (0, 0)
        self.error = ""
        self._snapshot: Snapshot | None = None
        self._generation = 0
        self._looked = (0.0, False)

    def start(self) -> None:
        """Read the data set, unless it was read or is read already."""
        with self.lock:
            if self._generation == 0:
                self.read_again()

    def read_again(self) -> None:
        """Read the data set in a thread. What was corrected is in its files already."""
        with self.lock:
            self._generation += 1
            self.state, self.progress, self.error = "reading", (0, 0), ""
            self._snapshot = None
            name, generation = f"read {self.name}", self._generation
            threading.Thread(target=self._read, args=(generation,), name=name, daemon=True).start()

    @property
    def snapshot(self) -> Snapshot:
        """The data set as it was read. Raises RequestError while there is none."""
        with self.lock:
            if self._snapshot is not None:
                return self._snapshot
            if self.state == "failed":
                raise RequestError(409, "data-unreadable", self.error)
            raise RequestError(409, "data-reading", f"{self.name} is being read. Ask again soon.", 1)

    def snapshot_or_none(self) -> Snapshot | None:
        """The data set as it was read, if it was."""
        with self.lock:
            return self._snapshot

    def has_changed(self) -> bool:
        """Whether someone else has written a label file since it was read. Looks every few seconds."""
        snapshot = self.snapshot_or_none()
        now = time.monotonic()
        if snapshot is None:
            return False
        if now - self._looked[0] > _SECONDS_BETWEEN_LOOKS or self._looked[1]:
            self._looked = (now, snapshot.has_changed())
        return self._looked[1]

    def _read(self, generation: int) -> None:
        """Read and check. A reading that was overtaken by another one changes nothing."""
        try:
            report = check_data(
                self.path,
                progress=lambda done, total: self._note_progress(generation, done, total),
                on_labels=lambda found: self._show_labels(generation, found),
            )
        except BoxmaskError as error:
            self._fail(generation, str(error))
            return
        except Exception:  # of any reader: the thread must not end without a word to the page
            logging.getLogger("boxmask.serve").exception("reading %s failed", self.path)
            self._fail(generation, "reading failed. The output of the server says why.")
            return
        if report.examination is None:
            self._fail(generation, str(report))
            return
        with self.lock:
            if generation == self._generation and self._snapshot is not None:
                self._snapshot.findings = FindingIndex(report, self._snapshot.index.files)
                self.state = "ready"

    def _show_labels(self, generation: int, report: CheckReport) -> None:
        snapshot = Snapshot.of(report, generation, self.path)
        with self.lock:
            if generation == self._generation:
                self._snapshot, self.state = snapshot, "checking"
                self._looked = (time.monotonic(), False)

    def _note_progress(self, generation: int, done: int, total: int) -> None:
        if generation == self._generation:
            self.progress = (done, total)

    def _fail(self, generation: int, error: str) -> None:
        with self.lock:
            if generation == self._generation:
                self.state, self.error = "failed", error
