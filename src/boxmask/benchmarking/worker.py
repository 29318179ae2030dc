"""The process of one case: it loads a model, and measures it when it is asked to.

Requests and replies are lines of JSON on stdin and stdout. The first request names the case and the photos.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

from boxmask.benchmarking.cases import Case
from boxmask.benchmarking.memory import peak_memory
from boxmask.benchmarking.runners import Pixels, Runner, make_runner
from boxmask.errors import BoxmaskError
from boxmask.photos.read import load_photo
from boxmask.prediction.threads import READERS, threads, work_ahead

DECODING = "reading the file"
REST = "everything else"
PASSES = 3  # over the photos, for the shares


class Worker:
    """A loaded model with its photos."""

    def __init__(self, case: Case, files: Sequence[Path]) -> None:
        self._case, self._files = case, files
        self._photos = [load_photo(file) for file in files]
        self._runner: Runner = make_runner(case)
        self._calls = -(-len(files) // case.batch)  # of a pass over all photos
        self._runner.run(self._photos[:1])  # to warm up
        for batch in self._decoded():
            self._runner.run(batch)

    def measure(self, from_files: bool, seconds: float) -> list[float]:
        """The seconds of each call, for passes over all photos until `seconds` are over."""
        calls: list[float] = []
        begin = perf_counter()
        while not calls or perf_counter() - begin < seconds:
            before = perf_counter()
            for batch in self._read() if from_files else self._decoded():
                self._runner.run(batch)
                now = perf_counter()
                calls.append(now - before)
                before = now
        return calls

    def shares(self) -> dict[str, float]:
        """The share of decoding, and of each part of the model, in the time from file to result.

        The photos are run one at a time, so that the shares of two formats can be compared.
        """
        decoding = finding = 0.0

        def run_all(runner: Runner) -> None:
            nonlocal decoding, finding
            for file in [*self._files] * PASSES:
                begin = perf_counter()
                photo = load_photo(file)
                decoded = perf_counter()
                runner.run([photo])
                decoding += decoded - begin
                finding += perf_counter() - decoded

        parts = self._runner.profile(run_all)
        seconds = {DECODING: decoding, **parts, REST: max(0.0, finding - sum(parts.values()))}
        total = sum(seconds.values())
        return {name: value / total for name, value in seconds.items()}

    def _decoded(self) -> Iterator[list[Pixels]]:
        photos = cycle(self._photos)
        for _ in range(self._calls):
            yield list(islice(photos, self._case.batch))

    def _read(self) -> Iterator[list[Pixels]]:
        """The same from files. With several threads, others read the next photos, as in `boxmask predict`."""
        files = islice(cycle(self._files), self._calls * self._case.batch)
        if self._case.threads == 1:
            for _ in range(self._calls):
                yield [load_photo(file) for file in islice(files, self._case.batch)]
            return
        with threads(READERS, "read") as pool:
            photos = work_ahead(pool, load_photo, files, max(READERS, self._case.batch))
            for _ in range(self._calls):
                yield [photo.result() for photo in islice(photos, self._case.batch)]


# ---------------------------------------------------------------------- requests and replies


def main() -> None:
    """Reply to requests until there are no more."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C goes to all processes; the first one ends the others
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no reply
    worker: Worker | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                worker = Worker(Case(**request["case"]), [Path(file) for file in request["files"]])
                reply(replies)
            elif request["do"] == "measure":
                reply(replies, calls=worker.measure(request["from_files"], request["seconds"]))
            else:
                reply(replies, shares=worker.shares())
        except BoxmaskError as error:
            reply(replies, error=type(error).__name__, message=str(error))


def reply(replies: TextIO, **content: Any) -> None:
    """Write one line, with the memory at the peak."""
    replies.write(json.dumps(content | {"memory": peak_memory()}) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
