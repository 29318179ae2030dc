"""boxmask demo: everything once, on data that it makes itself."""

from __future__ import annotations

import sys
from pathlib import Path

SHEET_PHOTOS = 12  # on the one picture to look at first


def demo(*, out: Path = Path("boxmask-demo"), minutes: float = 3.0, photos: int = 600, seed: int = 0) -> int:
    """Make a small data set, train on it, evaluate_with_detections the detector and draw what it finds.

    Needs no network. The photos show handwritten digits on textured grounds, and are labeled exactly.

    Parameters
    ----------
    out
        The folder for the data, the run and the pictures.
    minutes
        How long to train.
    photos
        How many photos to make.
    seed
        Of the photos and of the training.
    """
    from rich.console import Console

    from boxmask.cli.progress import photo_progress
    from boxmask.data.demo.make import make_demo
    from boxmask.data.detection.read import read_unsplit_detection
    from boxmask.results.pictures import save_picture
    from boxmask.runs.recipe import Recipe
    from boxmask.runs.splits import chosen_photos
    from boxmask.tasks.detection.pictures import detections_sheet, draw_comparisons
    from boxmask.tasks.detection.task import DetectionTask
    from boxmask.training.train import train
    from boxmask.weights.checkpoint import load_detector

    with Console(stderr=True).status(f"making {photos} photos in {out / 'data'}"):
        data = make_demo(out / "data", photos=photos, seed=seed)
    recipe = Recipe(max_minutes=minutes, seed=seed, flip=0.0)  # a mirrored 2 is no 2
    run, finished = train(data, recipe, _free(out / "run"))
    if not finished:
        print(f"stopped; go on with: boxmask train --resume --out {run.path}", file=sys.stderr)
        return 1
    dataset = chosen_photos(read_unsplit_detection(data), run.path, data, "test")
    with photo_progress("evaluating") as progress:
        detector = load_detector(run.path)
        report, detections = DetectionTask().evaluate_with_detections(detector, dataset, progress=progress)
    pictures = run.path / "pictures"
    draw_comparisons(dataset, detections, pictures)
    sheet = run.path / "found.jpg"
    save_picture(detections_sheet(dataset, detections, SHEET_PHOTOS), sheet)
    Console().print(report.table)
    _say_where(data, run.path, sheet, pictures, run.curve_file)
    return 0


def _free(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def _say_where(data: Path, run: Path, sheet: Path, pictures: Path, curve: Path) -> None:
    """The files to look at, and what to do next."""
    lines = (
        "Look at:",
        f"  {sheet}  what it finds in photos it has never seen",
        f"  {pictures}/  every test photo twice: as labeled and as found",
        f"  {curve}  how it learned",
        f"  {data}/  the photos and labels it was made from",
        "Then try your own photos:",
        f"  boxmask predict {run} PHOTO_OR_FOLDER",
        "  boxmask train YOUR_LABELED_PHOTOS --max-minutes 10",
    )
    print("\n".join(lines))
