"""What a training that starts from ImageNet's weights alone could start from instead."""

from __future__ import annotations

from pathlib import Path

from boxmask.runs.run import Run
from boxmask.runs.same_photos import runs_trained_on
from boxmask.weights.published.manifest import published_weights


def init_hint(model: str, data: Path, new_run: Run) -> str:
    """One sentence on --init; "" if neither a finished run on the data nor published weights are known."""
    if (run := _finished_run(model, data, new_run)) is not None:
        return f"--init {run} would go on from that finished run on the same data"
    published = [entry for entry in published_weights().values() if entry.model == model]
    if not published:
        return ""
    entry = min(published, key=lambda entry: entry.mebibytes)
    download = "" if entry.is_here else f" ({entry.mebibytes:.0f} MiB to download)"
    return f"--init {entry.name} would start from a network that was trained on COCO{download}"


def _finished_run(model: str, data: Path, new_run: Run) -> Path | None:
    """The newest finished run of the method on the same data, beside the new run."""
    runs = runs_trained_on(data, new_run.path.parent)
    return next((run.path for run, recipe in runs if recipe.model == model and run.finished), None)
