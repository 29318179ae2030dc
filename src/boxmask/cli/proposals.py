"""boxmask proposals DATA|PHOTO...: evaluate or draw object proposals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from boxmask.cli.imports import quick_imports
from boxmask.cli.output import JsonFile
from boxmask.errors import UsageError

if TYPE_CHECKING:
    from boxmask.data.detection.dataset import DetectionDataset
    from boxmask.pipeline.selective_search.modes import SelectiveSearchConfig
    from boxmask.prediction.proposals import BoxesOf

Mode = Literal["single", "fast", "quality"]


def proposals(
    inputs: list[Path],
    /,
    *,
    method: Literal["selective-search", "rpn"] = "selective-search",
    run: Path | None = None,
    mode: Mode = "fast",
    paper: bool = False,
    seed: int = 0,
    limit: int | None = None,
    split: Literal["train", "val", "test", "all"] = "all",
    out: Path | None = None,
    json_file: JsonFile = None,
    on_bad_boxes: Literal["error", "skip"] | None = None,
) -> int:
    """Propose boxes that may contain an object, by Selective Search or by the RPN of a trained Faster R-CNN.

    For labeled photos, it prints the recall of the proposals. For other photos, it draws the proposals.

    Parameters
    ----------
    inputs
        A labeled data set (folder or label file), or photos.
    method
        Selective Search needs no training. The RPN is part of a trained Faster R-CNN.
    run
        With --method rpn: the Faster R-CNN, as the folder written by training or a checkpoint file.
    mode
        Selective Search only. "single" is the fastest, "quality" has the highest recall.
    paper
        Use the paper's own settings for the mode. They drop boxes narrower or lower than 20 pixels.
    seed
        Random seed for the order of the proposals.
    limit
        Maximum number of proposals per photo. Default: the mode's.
    split
        Split of a labeled data set to use.
    out
        Folder for pictures. Default: "proposals" for photos without labels, none for a labeled data set.
    json_file
        Write the metrics to this JSON file, as fractions. "-" prints the JSON instead of the table.
    on_bad_boxes
        What to do with boxes that are empty or outside their photo. Default: skip them if they are under
        1 % of all boxes, else stop.
    """
    from boxmask.data.detection.read import read_detection
    from boxmask.data.detection.read_labels import has_detection_labels

    if method == "rpn":
        boxes_of, config = _rpn(run, limit), None
    elif run is not None:
        raise UsageError("--run is for --method rpn: Selective Search needs no training")
    else:
        boxes_of, config = _selective_search(mode, paper, seed, limit)
    if len(inputs) == 1 and has_detection_labels(inputs[0]):
        dataset = read_detection(inputs[0], on_bad_boxes=on_bad_boxes, on_bad_photos=None, needs_masks=False)
        dataset = dataset if split == "all" else dataset.split(split)
        return _evaluate(dataset, boxes_of, config, out, json_file)
    if split != "all" or json_file is not None:
        raise UsageError("--split and --json are for labeled data sets, and these are photos")
    return _draw([str(path) for path in inputs], boxes_of, config, out or Path("proposals"))


def _rpn(run: Path | None, limit: int | None) -> BoxesOf:

    with quick_imports():
        from boxmask.prediction.proposals import rpn_boxes
        from boxmask.weights.checkpoint import load_detector

    if run is None:
        raise UsageError("--method rpn: give the run of a Faster R-CNN with --run RUN")
    return rpn_boxes(load_detector(run), limit)


def _selective_search(
    mode: Mode, paper: bool, seed: int, limit: int | None
) -> tuple[BoxesOf, SelectiveSearchConfig]:
    from dataclasses import replace

    with quick_imports():
        from boxmask.pipeline.selective_search.cache import ProposalCache
        from boxmask.pipeline.selective_search.modes import MODES, PAPER_MODES

    config = replace((PAPER_MODES if paper else MODES)[mode], seed=seed)
    config = config if limit is None else replace(config, max_boxes=limit)
    return ProposalCache(config).boxes, config


def _evaluate(
    dataset: DetectionDataset,
    boxes_of: BoxesOf,
    config: SelectiveSearchConfig | None,
    out: Path | None,
    json_file: Path | None,
) -> int:
    import numpy as np

    from boxmask.cli.output import check_json_file, print_errors, print_metrics, print_notes
    from boxmask.cli.progress import photo_progress
    from boxmask.evaluation.proposals import proposal_recall, recall_table
    from boxmask.prediction.proposals import draw_proposals, proposals_of
    from boxmask.results.picture_folder import PictureFolder

    photos = [dataset.path(photo) for photo in range(len(dataset))]
    check_json_file(json_file)
    if out is not None:
        PictureFolder.for_photos(out, photos)  # raises before the photos are searched, which takes long
    print_notes(dataset.notes)
    with photo_progress("proposing") as progress:
        proposals, errors = proposals_of(dataset, boxes_of, progress)
    if not proposals:
        return print_errors(errors)
    read = np.array(sorted(proposals), dtype=np.int64)
    recall = proposal_recall(dataset.subset(read), [proposals[photo] for photo in read.tolist()])
    print_metrics(recall.to_dict(), recall_table(recall), json_file)
    if out is not None:
        pictures = draw_proposals([photos[photo] for photo in read.tolist()], boxes_of, out, config)
        print_notes(pictures.notes)
        errors += pictures.errors
    return print_errors(errors)


def _draw(inputs: list[str], boxes_of: BoxesOf, config: SelectiveSearchConfig | None, out: Path) -> int:
    from boxmask.cli.output import print_errors, print_notes
    from boxmask.cli.progress import photo_progress
    from boxmask.messages import format_count
    from boxmask.photos.find import find_photos, notes_on_skipped_files
    from boxmask.prediction.proposals import draw_proposals

    photos, notes = find_photos(inputs), notes_on_skipped_files(inputs)
    with photo_progress("proposing") as progress:
        pictures = draw_proposals(photos, boxes_of, out, config, progress)
    print_notes(notes + pictures.notes)
    print(format_count(len(pictures.files), "photo"))
    print(out)
    return print_errors(pictures.errors)
