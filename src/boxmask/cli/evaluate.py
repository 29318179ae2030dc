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
    bad_boxes: Literal["stop", "skip"] = "stop",
    unseen_classes: Literal["stop", "ignore"] = "stop",
    svd: tuple[int, int] | None = None,
    device: str = "cpu",
) -> int:
    """Judge a detector on labelled photos: COCO's and VOC's average precision, in all and by class.

    Parameters
    ----------
    run
        The folder that training wrote, or a checkpoint in it.
    data
        A folder or annotation file: Pascal VOC or COCO, recognised by looking.
    split
        Which photos; a data set without splits of its own keeps the ones that training drew.
    json_file
        Write the figures into this file, as fractions; "-" is the terminal.
    pictures
        Draw every photo twice, as labelled and as found, into this folder.
    bad_boxes
        What to do about labels that cannot be boxes.
    unseen_classes
        What to do about classes that the detector does not know.
    svd
        Fast R-CNN: the ranks of the truncated SVD of its two fully connected layers, for example 128 64:
        quicker, and a little less precise.
    device
        Where the network runs, for example cpu or cuda.
    """
    from rich.console import Console

    from boxmask.cli.bar import photo_bar
    from boxmask.data.faults import shortened
    from boxmask.detectors.fast_rcnn import truncate
    from boxmask.evaluation.table import evaluation_table
    from boxmask.prediction.judge import draw_judged, judge, photos_to_judge
    from boxmask.weights.checkpoint import load_detector
    from boxmask.writing import replacing

    detector = load_detector(run, device)
    if svd is not None:
        truncate(detector, svd)
    dataset = photos_to_judge(run, data, split, bad_boxes)
    for note in dataset.notes:
        print(f"note: {shortened(note)}", file=sys.stderr)
    with photo_bar("judging") as progress:
        evaluation, detections = judge(detector, dataset, unseen_classes, progress)
    figures = json.dumps(evaluation.as_json(), indent=1) + "\n"
    if json_file == Path("-"):
        print(figures, end="")
    else:
        Console().print(evaluation_table(evaluation))
    if json_file not in (None, Path("-")):
        with replacing(json_file) as partial:
            partial.write_text(figures, encoding="utf-8")
    if pictures is not None:
        draw_judged(dataset, detections, pictures)
    return 0
