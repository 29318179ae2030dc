"""boxmask train DATA: from labeled photos to a trained model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from boxmask.runs.recipe import Recipe

STOPPED = 130  # what shells say of a program that Ctrl-C ended


def train(
    data: Path | None = None,
    /,
    *,
    recipe: Annotated[Recipe, Parameter(name="*")] = Recipe(),  # noqa: B008 (frozen)
    out: Path | None = None,
    resume: bool = False,
) -> int:
    """Train a model on your labeled photos: a detector, a segmenter or a classifier.

    Parameters
    ----------
    data
        A folder or annotation file, recognized by looking. Detectors: Pascal VOC or COCO. Segmenters: photos
        with label images, or COCO's outlines. Classifiers: a folder of photos for each class, or the objects
        of a detection set, cut out.
    out
        The run's folder, which must not exist; default: runs/MODEL-NUMBER.
    resume
        Go on with the training in --out, which was stopped. Its own recipe is used; DATA is only needed if
        the photos have moved.
    """
    from boxmask.errors import UsageError
    from boxmask.runs.run import Run
    from boxmask.training.train import resume as go_on
    from boxmask.training.train import train as begin

    if resume:
        if out is None:
            raise UsageError("--resume: say which run with --out RUN")
        if recipe != Recipe():
            raise UsageError("--resume: the run goes on by its own recipe; leave the other flags out")
        run, finished = Run(out), go_on(Run(out), data)
    elif data is None:
        raise UsageError("give DATA, a folder of labeled photos or an annotation file")
    else:
        run, finished = begin(data, recipe, out)
    if not finished:
        print(f"stopped; go on with: boxmask train --resume --out {run.path}", file=sys.stderr)
    print(run.path)
    return 0 if finished else STOPPED
