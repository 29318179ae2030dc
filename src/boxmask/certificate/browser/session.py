"""An exported file in a browser, which runs as other sessions do."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.certificate.browser.arrays import decode_arrays, encode_arrays
from boxmask.certificate.browser.chromium import WebRuntime, find_chromium, started_browser
from boxmask.certificate.browser.memory import page_memory
from boxmask.certificate.browser.server import PageError, PageServer, Site
from boxmask.errors import ExportError
from boxmask.exporting.session import pack
from boxmask.messages import one_line

MAX_SECONDS = 900.0  # for the first prediction, which also loads the file, or any other
STEP = 0.5


class BrowserSession:
    """A file in a page that is open.

    needs_proposals: whether it takes proposals
    outputs:         names of the outputs to return
    milliseconds:    of each prediction so far, as the page measured them
    agent, threads:  the browser and its number of threads; empty before the first prediction
    """

    def __init__(
        self, site: Site, process: Popen[bytes], inputs: Sequence[str], outputs: Sequence[str]
    ) -> None:
        self._site, self._process = site, process
        self.needs_proposals = "proposals" in inputs
        self.outputs = list(outputs)
        self.milliseconds: list[float] = []
        self.agent, self.threads = "", 0

    def run(
        self, photos: Sequence[UInt8[np.ndarray, "H W 3"]], proposals: Sequence[NDArray[np.float32]] = ()
    ) -> dict[str, Any]:
        """The outputs by name for one batch of photos and, if the file needs them, their proposals.

        Raises ExportError, with the reason, if the browser cannot run the file.
        """
        return self.run_feeds(pack(photos, proposals if self.needs_proposals else None))

    def run_feeds(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The outputs by name for inputs by name. Raises ExportError as `run` does."""
        self._site.jobs.put(encode_arrays(feeds, outputs=self.outputs))
        arrays, header = decode_arrays(self._wait())
        self.milliseconds.append(float(header["milliseconds"]))
        self.agent, self.threads = str(header["agent"]), int(header["threads"])
        return dict(arrays)

    def memory_mb(self) -> float | None:
        """The peak memory of the page's process in MiB; None if the system does not tell."""
        return page_memory(self._process.pid)

    def _wait(self) -> bytes:
        """The next message of the page."""
        begin = time.monotonic()
        while time.monotonic() - begin < MAX_SECONDS:
            try:
                found = self._site.results.get(timeout=STEP)
            except queue.Empty:
                if self._process.poll() is not None:
                    raise ExportError(f"the browser ended ({self._process.returncode}). {REMEDY}") from None
                continue
            if isinstance(found, PageError):
                raise ExportError(f"the browser cannot run the file ({one_line(found)}). {REMEDY}")
            return found
        raise ExportError(f"the browser gave no result within {MAX_SECONDS / 60:.0f} minutes. {REMEDY}")


REMEDY = "Leave out --browser, or try another version of onnxruntime-web or of the browser."


@contextmanager
def browser_session(
    file: Path, runtime: WebRuntime, inputs: Sequence[str], outputs: Sequence[str], threads: int
) -> Iterator[BrowserSession]:
    """Open an exported file in a browser without a window until the block ends.

    inputs, outputs: names of the file's inputs, and of the outputs to return

    Raises UsageError if there is no browser.
    """
    program, site = find_chromium(), Site(file, runtime.folder, runtime.script, threads)
    with PageServer(site) as server, started_browser(program, server.address) as process:
        yield BrowserSession(site, process, inputs, outputs)
