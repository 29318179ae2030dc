"""A training step."""

from __future__ import annotations

from collections.abc import Iterator

from gpu_sections.measure import Row, Settings, measure
from gpu_sections.networks import context_of, pairs, step_works


def step_rows(settings: Settings) -> Iterator[Row]:
    """A training step of each network in both precisions."""
    for pair, images, targets in pairs(settings):
        differences = pair.differences(images, targets)
        mask = f", mask by {differences.pop('mask'):.0e}" if "mask" in differences else ""
        differ = f"losses differ by {max(differences.values()):.0e}{mask}"
        for name in settings.precisions:
            works = step_works(pair, images, targets, context_of(name, settings.device))
            note = differ if name == "fp32" else ""
            yield Row("step", f"{pair.name}, {name}", *measure(works, settings), note)
