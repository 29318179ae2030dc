"""boxmask proposals DATA|PHOTO...: where objects may be, judged or drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from boxmask.pipeline.selective_search import SelectiveSearchConfig


def proposals(
    inputs: list[Path],
    /,
    *,
    mode: Literal["single", "fast", "quality"] = "fast",
    paper: bool = False,
    seed: int = 0,
    limit: int | None = None,
    split: Literal["train", "val", "test", "all"] = "all",
    out: Path | None = None,
    json_file: Annotated[Path | None, Parameter(name="--json", allow_leading_hyphen=True)] = None,
    bad_boxes: Literal["stop", "skip"] = "stop",
) -> int:
    """Search photos for places where objects may be, by Selective Search.

    Parameters
    ----------
    inputs
        Labelled photos (a folder or annotation file): prints which part of the objects the proposals reach.
        Or photos: draws the proposals and the regions that they are made of.
    mode
        How many ways to group the regions: single is the quickest, quality reaches the most objects.
    paper
        The mode with the paper's own numbers, which leave out all that is smaller than 20 pixels.
    seed
        Of the order in which proposals come.
    limit
        Keep only the first so many; the mode's own limit unless given.
    split
        Of labelled photos, which.
    out
        Draw into this folder; for photos without labels it is "proposals" unless given.
    json_file
        Write the figures into this file, as fractions; "-" is the terminal.
    bad_boxes
        What to do about labels that cannot be boxes.
    """
    from dataclasses import replace

    from boxmask.data.read import is_labelled
    from boxmask.pipeline.selective_search import MODES, PAPER_MODES

    config = replace((PAPER_MODES if paper else MODES)[mode], seed=seed)
    config = config if limit is None else replace(config, limit=limit)
    if len(inputs) == 1 and is_labelled(inputs[0]):
        return _judge(inputs[0], config, split, out, json_file, bad_boxes)
    return _draw([str(one) for one in inputs], config, out or Path("proposals"))


def _judge(
    data: Path,
    config: SelectiveSearchConfig,
    split: str,
    out: Path | None,
    json_file: Path | None,
    bad_boxes: str,
) -> int:
    from rich.console import Console

    from boxmask.cli.bar import photo_bar
    from boxmask.data.read import read_dataset
    from boxmask.evaluation.proposals import proposal_recall, recall_table
    from boxmask.pipeline.proposal_cache import ProposalCache
    from boxmask.prediction.proposals import draw_proposals, proposals_of
    from boxmask.writing import replacing

    dataset = read_dataset(data, bad_boxes="skip" if bad_boxes == "skip" else "stop")
    chosen = dataset if split == "all" else dataset.split(split)
    cache = ProposalCache(config)
    with photo_bar("searching") as progress:
        found = proposal_recall(chosen, proposals_of(chosen, cache.boxes, progress))
    figures = json.dumps(found.as_json(), indent=1) + "\n"
    if json_file == Path("-"):
        print(figures, end="")
    else:
        Console().print(recall_table(found))
    if json_file not in (None, Path("-")):
        with replacing(json_file) as partial:
            partial.write_text(figures, encoding="utf-8")
    if out is not None:
        draw_proposals([chosen.path(photo) for photo in range(len(chosen))], cache.boxes, out, config)
    return 0


def _draw(inputs: list[str], config: SelectiveSearchConfig, out: Path) -> int:
    from boxmask.cli.bar import photo_bar
    from boxmask.pipeline.photos import find_photos
    from boxmask.pipeline.proposal_cache import ProposalCache
    from boxmask.prediction.proposals import draw_proposals

    with photo_bar("searching") as progress:
        draw_proposals(find_photos(inputs), ProposalCache(config).boxes, out, config, progress)
    print(out)
    return 0
