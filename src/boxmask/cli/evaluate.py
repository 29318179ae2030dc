"""boxmask evaluate RUN DATA: how good is it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def evaluate(
    run: Path,
    data: Path,
    /,
    *,
    split: Literal["train", "val", "test", "all"] = "test",
    json_file: Annotated[Path | None, Parameter(name="--json", allow_leading_hyphen=True)] = None,
    pictures: Path | None = None,
    on_bad_boxes: Literal["error", "skip"] | None = None,
    on_unseen_classes: Literal["error", "skip"] = "error",
    classes_file: Path | None = None,
    on_unknown_colors: Literal["error", "skip"] | None = None,
    svd: tuple[int, int] | None = None,
    device: str = "cpu",
) -> int:
    """Judge a model on labeled photos, in all and by class.

    Detectors by COCO's and VOC's average precision, of boxes and of outlines; segmenters by the intersection
    over union of the pixels; classifiers by how often they are right.

    Parameters
    ----------
    run
        The folder that training wrote, or a checkpoint in it.
    data
        A folder or annotation file, as for training.
    split
        Which photos; a data set without splits of its own keeps the ones that training drew.
    json_file
        Write the figures into this file, as fractions; "-" is the terminal.
    pictures
        Draw every photo twice, as labeled and as found, into this folder; of a classifier, its mistakes.
    on_bad_boxes
        What to do with labels that cannot be boxes. Default: skip them while they are under 1 % of all
        boxes, else stop.
    on_unseen_classes
        What to do about classes that the model does not know.
    classes_file
        Pixels: what the colors or numbers of the label images mean; default: as in training, else the
        set's own.
    on_unknown_colors
        Pixels: what to do about colors that the classes file does not name; default: as in training, else
        stop.
    svd
        Fast R-CNN: the ranks of the truncated SVD of its two fully connected layers, for example 128 64:
        quicker, and a little less precise.
    device
        Where the network runs, for example cpu or cuda.
    """
    from rich.console import Console

    from boxmask.atomic_write import atomic_write
    from boxmask.cli.bar import photo_bar
    from boxmask.data.messages import shorten_note
    from boxmask.detectors.fast_rcnn import truncate
    from boxmask.tasks.evaluate import LabelOptions, evaluate_model, read_split
    from boxmask.weights.checkpoint import load_model

    model = load_model(run, device)
    if svd is not None:
        truncate(model, svd)
    reading = LabelOptions(on_bad_boxes, classes_file, on_unknown_colors)
    labeled = read_split(model, run, data, split, reading)
    for note in labeled.notes:
        print(f"note: {shorten_note(note)}", file=sys.stderr)
    with photo_bar("judging") as progress:
        judged = evaluate_model(model, labeled, on_unseen_classes, progress, pictures)
    figures = json.dumps(judged.evaluation.to_dict(), indent=1) + "\n"
    if json_file == Path("-"):
        print(figures, end="")
    else:
        Console().print(judged.table)
    if json_file not in (None, Path("-")):
        with atomic_write(json_file) as partial:
            partial.write_text(figures, encoding="utf-8")
    return 0
