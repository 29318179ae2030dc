"""Sends the rows of log.jsonl to trackers, each row once, however often the training is stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from boxmask.atomic_write import atomic_write
from boxmask.errors import OutputError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.runs.serialization import recipe_to_dict
from boxmask.training.progress import Report, read_log
from boxmask.training.trackers.programs import PROGRAMS, Settings, StartedTracker
from boxmask.training.trackers.rows import StepCount, TrackedRow, row_values

MAX_REASON = 300  # characters of a program's error, which may be a page


@dataclass
class Destination:
    """A tracker and the rows that it has.

    started:  None while it does not work: the rows are sent when the training is resumed
    num_sent: the number of rows that it has
    """

    name: str
    started: StartedTracker | None
    id: str | None
    num_sent: int


@dataclass
class Trackers:
    """The trackers of a training, which get its rows when its state is saved.

    A resumed training repeats the rows after the saved state. A tracker cannot take rows back, so it gets
    none of these. trackers.json in the run holds how many rows each has. If a tracker fails, the training
    goes on without it.
    """

    run: Run
    message: Callable[[str], None]
    destinations: list[Destination]
    rows: list[TrackedRow] = field(default_factory=list)
    count: StepCount = field(default_factory=StepCount)
    has_failed_to_record: bool = False

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row of log.jsonl, to be sent with the next saved state."""
        self.rows.append(TrackedRow(self.count.advance(row), row_values(row)))

    def send(self) -> None:
        """Send all rows that were not sent yet."""
        for destination in self.destinations:
            with self._report_failure(destination):
                self._send_to(destination)
        self._record()

    def finish(self) -> None:
        """Close the trackers. They do not get rows that come after the saved state."""
        for destination in self.destinations:
            if destination.started is not None:
                with self._report_failure(destination):
                    destination.started.tracker.finish()

    def _send_to(self, destination: Destination) -> None:
        if (started := destination.started) is None:
            return
        for row in self.rows[destination.num_sent :]:
            times = {"walltime": row.seconds} if started.has_time else {}
            started.tracker.log(row.values, step=row.step, **times)
            destination.num_sent += 1

    @contextmanager
    def _report_failure(self, destination: Destination) -> Iterator[None]:
        """Report an error of a tracker, and use the tracker no more."""
        try:
            yield
        except Exception as error:  # of any program and its server: the training must not end
            destination.started = None
            reason = " ".join(str(error).split())[:MAX_REASON]
            self.message(
                f"warning: {destination.name} failed ({type(error).__name__}: {reason}). Training goes on "
                "without it; log.jsonl has all rows."
            )

    def _record(self) -> None:
        """Write trackers.json; a failure is reported once."""
        content = {item.name: {"id": item.id, "rows": item.num_sent} for item in self.destinations}
        try:
            with atomic_write(self.run.trackers_file) as partial:
                partial.write_text(json.dumps(content) + "\n", encoding="utf-8")
        except OutputError as error:
            if not self.has_failed_to_record:
                self.message(f"warning: {error} If the training is resumed, trackers may get rows twice.")
            self.has_failed_to_record = True


@contextmanager
def open_trackers(run: Run, recipe: Recipe, report: Report) -> Iterator[None]:
    """Start the recipe's trackers, and let the report send its rows to them within the block.

    Of a training that is resumed, they get the rows of log.jsonl that they do not have yet.
    """
    if not recipe.log_with:
        yield
        return
    trackers = Trackers(run, report.message, [])
    for row in read_log(run.log_file):
        trackers.add(row)
    known = _read_record(run)
    for name in dict.fromkeys(recipe.log_with):
        before = known.get(name, {})
        sent = min(int(before.get("rows", 0)), len(trackers.rows))
        destination = Destination(name, None, before.get("id"), sent)
        trackers.destinations.append(destination)
        with trackers._report_failure(destination):
            started = PROGRAMS[name].start(run, tracker_settings(recipe), destination.id)
            destination.started, destination.id = started, started.id
    trackers._record()
    report.receiver = trackers
    try:
        yield
    finally:
        report.receiver = None
        trackers.finish()


def tracker_settings(recipe: Recipe) -> Settings:
    """Return the recipe's fields that have a value, as numbers and text."""
    return {
        name: value if isinstance(value, bool | int | float | str) else json.dumps(value)
        for name, value in recipe_to_dict(recipe).items()
        if value not in (None, ())
    }


def _read_record(run: Run) -> dict[str, dict[str, Any]]:
    """Return what trackers.json holds; nothing if it is missing or damaged."""
    try:
        content = json.loads(run.trackers_file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    records = content if isinstance(content, dict) else {}
    return {
        name: record
        for name, record in records.items()
        if isinstance(record, dict)
        and isinstance(record.get("rows"), int)
        and isinstance(record.get("id"), str | None)
    }
