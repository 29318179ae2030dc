"""boxmask train DATA: from labelled photos to a trained detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from boxmask.training.recipe import Recipe


def train(
    data: Path | None = None,
    /,
    *,
    recipe: Annotated[Recipe, Parameter(name="*")] = Recipe(),  # noqa: B008 (frozen)
    out: Path | None = None,
    resume: Path | None = None,
) -> int:
    """Train a detector on your labelled photos.

    Parameters
    ----------
    data
        A folder or annotation file: Pascal VOC or COCO, recognised by looking.
    out
        The run's folder, which must not exist; default: runs/MODEL-NUMBER.
    resume
        Go on with this run's folder, which was stopped; its own recipe and data are used.
    """
    from boxmask.errors import UsageError
    from boxmask.training.run import Run
    from boxmask.training.train import resume as go_on
    from boxmask.training.train import train as begin

    if (data is None) == (resume is None):
        raise UsageError("give DATA to begin a training, or --resume RUN to go on with one")
    if resume is not None:
        run, finished = Run(resume), go_on(Run(resume))
    else:
        assert data is not None
        run, finished = begin(data, recipe, out)
    print(run.folder)  # noqa: T201
    return 0
