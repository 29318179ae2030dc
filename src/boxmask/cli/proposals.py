"""boxmask proposals DATA|PHOTO...: where objects may be, judged or drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from boxmask.errors import UsageError

if TYPE_CHECKING:
    from boxmask.data.detection.dataset import DetectionDataset
    from boxmask.pipeline.selective_search.search import SelectiveSearchConfig
    from boxmask.prediction.proposals import BoxesOf


def proposals(
    inputs: list[Path],
    /,
    *,
    method: Literal["selective-search", "rpn"] = "selective-search",
    run: Path | None = None,
    mode: Literal["single", "fast", "quality"] = "fast",
    paper: bool = False,
    seed: int = 0,
    limit: int | None = None,
    split: Literal["train", "val", "test", "all"] = "all",
    out: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json", allow_leading_hyphen=True)] = None,
    on_bad_boxes: Literal["error", "skip"] | None = None,
) -> int:
    """Find places in photos where objects may be: by Selective Search, or by a trained Faster R-CNN's RPN.

    Parameters
    ----------
    inputs
        Labeled photos (a folder or annotation file): prints which part of the objects the proposals reach.
        Or photos: draws the proposals and the regions that they are made of.
    method
        Selective Search needs no training; an RPN is part of a trained Faster R-CNN.
    run
        With --method rpn: the folder that training wrote, or a checkpoint in it.
    mode
        How many ways to group the max_regions: single is the quickest, quality reaches the most objects.
    paper
        The mode with the paper's own numbers, which leave out all that is smaller than 20 pixels.
    seed
        Of the order in which proposals come.
    limit
        Keep only the first so many; the mode's own limit unless given.
    split
        Of labeled photos, which.
    out
        Draw into this folder; for photos without labels it is "proposals" unless given.
    json_file
        Write the figures into this file, as fractions; "-" is the terminal.
    on_bad_boxes
        What to do with labels that cannot be boxes. Default: skip them while they are under 1 % of all
        boxes, else stop.
    """
    from boxmask.data.detection.read import has_detection_labels

    if method == "rpn":
        boxes_of, config = _of_rpn(run, limit), None
    elif run is not None:
        raise UsageError("--run is for --method rpn: Selective Search needs no training")
    else:
        boxes_of, config = _of_search(mode, paper, seed, limit)
    if len(inputs) == 1 and has_detection_labels(inputs[0]):
        return _judge(_photos_of(inputs[0], split, on_bad_boxes), boxes_of, config, out, json_file)
    return _draw([str(one) for one in inputs], boxes_of, config, out or Path("proposals"))


def _of_rpn(run: Path | None, limit: int | None) -> BoxesOf:
    from boxmask.prediction.proposals import rpn_boxes
    from boxmask.weights.checkpoint import load_detector

    if run is None:
        raise UsageError("--method rpn: say which Faster R-CNN's with --run RUN")
    return rpn_boxes(load_detector(run), limit)


def _of_search(
    mode: Literal["single", "fast", "quality"], paper: bool, seed: int, limit: int | None
) -> tuple[BoxesOf, SelectiveSearchConfig]:
    from dataclasses import replace

    from boxmask.pipeline.selective_search.cache import ProposalCache
    from boxmask.pipeline.selective_search.modes import MODES, PAPER_MODES

    config = replace((PAPER_MODES if paper else MODES)[mode], seed=seed)
    config = config if limit is None else replace(config, limit=limit)
    return ProposalCache(config).boxes, config


def _photos_of(data: Path, split: str, on_bad_boxes: Literal["error", "skip"] | None) -> DetectionDataset:
    from boxmask.data.detection.read import read_detection

    dataset = read_detection(data, on_bad_boxes=on_bad_boxes)
    return dataset if split == "all" else dataset.split(split)


def _judge(
    photos: DetectionDataset,
    boxes_of: BoxesOf,
    config: SelectiveSearchConfig | None,
    out: Path | None,
    json_file: Path | None,
) -> int:
    from rich.console import Console

    from boxmask.atomic_write import atomic_write
    from boxmask.cli.bar import photo_bar
    from boxmask.evaluation.proposals import proposal_recall, recall_table
    from boxmask.prediction.proposals import draw_proposals, proposals_of

    with photo_bar("searching") as progress:
        found = proposal_recall(photos, proposals_of(photos, boxes_of, progress))
    figures = json.dumps(found.to_dict(), indent=1) + "\n"
    if json_file == Path("-"):
        print(figures, end="")
    else:
        Console().print(recall_table(found))
    if json_file not in (None, Path("-")):
        with atomic_write(json_file) as partial:
            partial.write_text(figures, encoding="utf-8")
    if out is not None:
        draw_proposals([photos.path(photo) for photo in range(len(photos))], boxes_of, out, config)
    return 0


def _draw(inputs: list[str], boxes_of: BoxesOf, config: SelectiveSearchConfig | None, out: Path) -> int:
    from boxmask.cli.bar import photo_bar
    from boxmask.photos.find import find_photos
    from boxmask.prediction.proposals import draw_proposals

    with photo_bar("searching") as progress:
        draw_proposals(find_photos(inputs), boxes_of, out, config, progress)
    print(out)
    return 0
