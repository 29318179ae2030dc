"""What a training that starts from ImageNet's weights alone could start from instead."""

from __future__ import annotations

from pathlib import Path

from boxmask.errors import CheckpointError
from boxmask.runs.run import Run, read_recipe
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
    found: list[tuple[float, Path]] = []
    for folder in new_run.path.parent.glob("*/recipe.json"):
        run = Run(folder.parent)
        try:
            recipe, trained_on = read_recipe(run)
            if recipe.model == model and trained_on == data.absolute() and run.finished:
                found.append((run.recipe_file.stat().st_mtime, run.path))
        except (CheckpointError, OSError):
            continue
    return max(found)[1] if found else None
