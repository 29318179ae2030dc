"""A training step with compiled parts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

from gpu_sections.measure import Row, Settings, measure
from gpu_sections.networks import bf16, pairs, step_works


def compiled_rows(settings: Settings) -> Iterator[Row]:
    """A step of the first network with compiled backbone and pyramid."""
    for pair, images, targets in pairs(replace(settings, networks=settings.networks[:1])):
        pair.reference.backbone.compile(backend=settings.compiler)
        for part in (pair.detector.backbone, pair.detector.fpn):
            part.compile(backend=settings.compiler)
        begin = time.perf_counter()
        works = step_works(pair, images, targets, nullcontext)
        row = Row("compiled", f"{pair.name}, fp32, compiled", *measure(works, settings))
        row.note = f"{time.perf_counter() - begin:.0f} s with compilation"
        yield row
        mixed = step_works(pair, images, targets, lambda: bf16(settings.device))
        yield Row("compiled", f"{pair.name}, bf16, compiled", *measure(mixed, settings))
