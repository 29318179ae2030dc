"""boxmask compare DATA: which method is best for these photos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from boxmask.cli.imports import quick_imports
from boxmask.comparison.shared_recipe import SharedRecipe

COMPARISON = Group.create_ordered("Comparison")
Names = Annotated[tuple[str, ...], Parameter(group=COMPARISON, consume_multiple=1, show_default=False)]


def compare(
    data: Path,
    /,
    *,
    out: Annotated[Path, Parameter(group=COMPARISON)],
    models: Annotated[
        tuple[str, ...] | None, Parameter(group=COMPARISON, consume_multiple=1, show_default=False)
    ] = None,
    runs: Annotated[
        tuple[Path, ...], Parameter(group=COMPARISON, consume_multiple=1, show_default=False)
    ] = (),
    detections: Names = (),
    seeds: Annotated[int, Parameter(group=COMPARISON)] = 1,
    forms: Names = (),
    split: Annotated[Literal["test", "val"], Parameter(group=COMPARISON)] = "test",
    folds: Annotated[int | None, Parameter(group=COMPARISON)] = None,
    recipe: Annotated[SharedRecipe, Parameter(name="*")] = SharedRecipe(),  # noqa: B008 (frozen)
) -> int:
    """Train several models on the same photos with the same settings, and compare metrics and speed.

    All models see the same split, which is drawn once. Each is trained in a process of its own, for
    --max-minutes (default: 10). A model that fails does not stop the others. The same command again skips
    what is done, and finishes a comparison that was interrupted.

    Parameters
    ----------
    data
        Folder, archive or label file, as for training.
    out
        Folder for the trainings, results and tables. Models can join later with the same settings.
    models
        Methods to train, for example --models ssd,fcos,faster-rcnn. Default: those that suit the labels, or
        none with --runs or --detections.
    runs
        Runs, checkpoints and ONNX files that join without training.
    detections
        Detections of other tools on the same photos, as NAME=FILE. FILE is COCO JSON. Photos are given by the
        ids of the labels or by file name, classes by id or name.
    seeds
        Number of trainings per method. With several, the table shows how much they vary.
    forms
        Forms whose speed is measured: torch, onnx, int8. Default: torch, and onnx if its packages are
        installed.
    split
        Photos that the models are evaluated on.
    folds
        Number of parts of the photos, for data sets with few test photos. Each method is trained once per
        fold, without its photos, and tested on them, so that every photo is a test photo once. --max-minutes
        and --epochs are per training. Default: one split.
    """
    from boxmask.cli.compare_display import terminal_display
    from boxmask.cli.interrupts import interrupt_on_signals

    with quick_imports():
        from boxmask.comparison.compare import compare_models
        from boxmask.comparison.options import CompareOptions, parse_detections, parse_forms, parse_names

    options = CompareOptions(
        models=None if models is None else parse_names(models),
        runs=runs,
        detections=parse_detections(detections),
        recipe=recipe,
        seeds=seeds,
        forms=parse_forms(forms),
        split=split,
        folds=folds,
    )
    interrupt_on_signals()
    try:
        with terminal_display() as display:
            comparison = compare_models(data, options, out, display)
    except KeyboardInterrupt:
        print("To continue, give the same command again.", file=sys.stderr)
        raise
    display.print_result(comparison)
    print(f"report: {out / 'report.html'}", file=sys.stderr)
    return 1 if comparison.failed else 0
