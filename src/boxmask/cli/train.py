"""boxmask train DATA: train a model on labeled photos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from boxmask.cli.imports import quick_imports
from boxmask.program_start import INTERRUPTED
from boxmask.runs.recipe import BASICS, Recipe


def train(
    data: Path | None = None,
    /,
    *,
    recipe: Annotated[Recipe, Parameter(name="*")] = Recipe(),  # noqa: B008 (frozen)
    out: Annotated[Path | None, Parameter(group=BASICS)] = None,
    resume: Annotated[bool, Parameter(group=BASICS, negative="", show_default=False)] = False,
) -> int:
    """Train a detector, segmenter or classifier on your labeled photos.

    Without --max-minutes and --epochs, training takes ten minutes. Ctrl-C stops it after the current step and
    saves it, and so do SIGTERM and a closed terminal; the exit code is then 130. --resume continues it.

    Parameters
    ----------
    data
        Folder, archive (.zip, .tar, .tar.gz, ...) or label file. Detectors: boxes in any label format (see
        docs/formats). Segmenters: photos with label maps, or a detection data set with masks. Classifiers:
        one folder of photos per class, or a detection data set, whose objects are cut out.
    out
        Folder for the run: weights, settings and metrics. It must not exist. Default: runs/MODEL-NUMBER.
    resume
        Continue the training in --out with the same settings. Give DATA only if the photos have moved.
    """
    from boxmask.errors import UsageError

    with quick_imports():
        from boxmask.runs.run import Run
        from boxmask.training.train import resume as resume_training
        from boxmask.training.train import train as start_training

    if resume:
        if out is None:
            raise UsageError("--resume: give the run to continue with --out RUN")
        if recipe != Recipe():
            raise UsageError("--resume: the run keeps its own recipe; leave out the other flags")
        run, finished = Run(out), resume_training(Run(out), data)
    elif data is None:
        raise UsageError("give DATA, a folder of labeled photos or a label file")
    else:
        run, finished = start_training(data, recipe, out)
    if not finished:
        print(f"stopped; continue with: boxmask train --resume --out {run.path}", file=sys.stderr)
    print(run.path)
    return 0 if finished else INTERRUPTED
