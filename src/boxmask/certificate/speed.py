"""The speed and the memory of each form on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boxmask.benchmarking.bench import BenchOptions, bench_models
from boxmask.benchmarking.photos import choose_photos
from boxmask.certificate.browser.session import BrowserSession
from boxmask.certificate.forms import Form, propose
from boxmask.photos.read import to_image
from boxmask.progress import Progress
from boxmask.runtime.session import usable_cores

ROUNDS = 3  # of a browser over all photos
MINUTES_PER_FORM = 0.2


@dataclass(frozen=True)
class Speed:
    """Milliseconds per photo, one at a time, and the peak memory of the process in MiB; None: not known."""

    median_ms: float | None
    memory_mb: float | None
    threads: int


def measure_speed(
    source: Path, data: Path | None, forms: Sequence[Form], folder: Path, progress: Progress | None = None
) -> tuple[dict[str, Speed], float | None]:
    """The speed of each form by its name, and the share of the CPU that other processes used.

    folder: for generated photos, if there are no others
    """
    by_source = {str(form.file or source): form.name for form in forms if form.session is None}
    given = None if data is None else [data]
    chosen = choose_photos([source], given, folder, (1,))
    options = BenchOptions(chosen.files, (usable_cores(),), (1,), MINUTES_PER_FORM * len(by_source))
    benchmark = bench_models([Path(name) for name in by_source], options, progress)
    speeds = {
        by_source[row.model]: Speed(row.median_ms, row.memory_mb, row.threads) for row in benchmark.rows
    }
    for form in forms:
        if form.session is not None:
            speeds[form.name] = _in_browser(form, form.session, chosen.files)
    return speeds, benchmark.busy


def _in_browser(form: Form, session: BrowserSession, files: Sequence[Path]) -> Speed:
    """The speed in a browser, after a round that warms it up."""
    images = [to_image(file) for file in files]
    proposals = [propose(form.model, image) for image in images]
    for round_number in range(ROUNDS + 1):
        if round_number == 1:
            session.milliseconds.clear()
        for image, boxes in zip(images, proposals, strict=True):
            form.model.predict(image, boxes)
    return Speed(float(np.median(session.milliseconds)), session.memory_mb(), session.threads)
