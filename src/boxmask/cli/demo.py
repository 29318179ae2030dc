"""boxmask demo: generate data, train on it, evaluate, and draw pictures."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.cli.imports import quick_imports
from boxmask.cli.interrupts import interrupt_on_signals
from boxmask.program_start import INTERRUPTED

if TYPE_CHECKING:
    from boxmask.runs.recipe import Recipe
    from boxmask.runs.run import Run

OVERVIEW_PHOTOS = 6
SHARES = {"detector": 0.4, "classifier": 0.1, "mask-rcnn": 0.5}  # of the training time
CROP_SIZE, CROPS_PER_STEP = 96, 16  # the digits are small and many: less detail, more passes


@dataclass(frozen=True)
class DemoFiles:
    """The files of one demo.

    folder: holds the runs detector/, classifier/ and mask-rcnn/, and the pictures
    """

    data: Path
    folder: Path

    @property
    def overview(self) -> Path:
        """Boxes, outlines and the class of every pixel, side by side."""
        return self.folder / "found.jpg"

    @property
    def stages(self) -> Path:
        """What each stage of the network sees."""
        return self.folder / "stages.jpg"

    @property
    def pictures(self) -> Path:
        """Every test photo, as labeled and as found."""
        return self.folder / "pictures"


def demo(*, out: Path = Path("boxmask-demo"), minutes: float = 4.0, photos: int = 600, seed: int = 0) -> int:
    """Generate photos, train three models on them, evaluate and draw. Works offline.

    The photos show handwritten digits on textured backgrounds. A detector learns from their boxes, a
    classifier from their crops; a Mask R-CNN starts from both, is trained end to end and evaluated on
    photos that were not used in training.

    Parameters
    ----------
    out
        Folder for the data, the runs and the pictures.
    minutes
        Training time of the three models together, in minutes.
    photos
        Number of photos to generate.
    seed
        Random seed for the photos and the training.
    """
    from rich.console import Console

    from boxmask.data.demo.make import make_demo

    interrupt_on_signals()
    with Console(stderr=True).status(f"generating {photos} photos in {out / 'data'}"):
        data = make_demo(out / "data", photos=photos, seed=seed)
    files = DemoFiles(data, _new_folder(out / "run"))
    run = _train_all(files, minutes, seed)
    if run is None:
        return INTERRUPTED
    _evaluate(run, files)
    _try_selective_search(files)
    _print_next_steps(run, files)
    return 0


def _new_folder(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    number, new = 1, folder
    while new.exists():
        number += 1
        new = folder.with_name(f"{folder.name}-{number}")
    return new


def _train_all(files: DemoFiles, minutes: float, seed: int) -> Run | None:
    """Train the detector, the classifier, and the Mask R-CNN that starts from both; None if interrupted."""
    from boxmask.runs.recipe import Recipe

    detector, classifier = files.folder / "detector", files.folder / "classifier"
    base = Recipe(seed=seed, flip=0.0, num_validations=1)  # a mirrored 2 is not a 2
    recipes = {
        "detector": replace(base, model="faster-rcnn"),
        "classifier": replace(base, model="classifier", size=CROP_SIZE, batch_size=CROPS_PER_STEP),
        "mask-rcnn": replace(base, model="mask-rcnn", detector=detector, classifier=classifier),
    }
    run = None
    for number, (name, recipe) in enumerate(recipes.items(), start=1):
        print(f"step {number} of {len(recipes)}: {name}", file=sys.stderr)
        run = _train(files, name, recipe, minutes * SHARES[name])
        if run is None:
            return None
    return run


def _train(files: DemoFiles, name: str, recipe: Recipe, minutes: float) -> Run | None:
    """Train one model; None if it was interrupted."""

    with quick_imports():
        from boxmask.training.train import train

    run, finished = train(files.data, replace(recipe, max_minutes=minutes), files.folder / name)
    if finished:
        return run
    print(f"stopped; continue with: boxmask train --resume --out {run.path}", file=sys.stderr)
    return None


def _evaluate(run: Run, files: DemoFiles) -> None:
    """Print the metrics of the Mask R-CNN on the test photos, and draw the pictures."""
    from rich.console import Console

    from boxmask.cli.progress import photo_progress
    from boxmask.detectors.mask_rcnn import MaskRCNN
    from boxmask.explaining.explain import explain_photo
    from boxmask.photos.read import load_photo
    from boxmask.results.pictures import save_picture
    from boxmask.tasks.contract import LabelOptions
    from boxmask.tasks.detection.pictures import comparison_folder, draw_comparisons
    from boxmask.tasks.detection.task import DetectionTask
    from boxmask.visualization.overview import draw_overview

    task, model = DetectionTask(needs_masks=True), run.model()
    assert isinstance(model, MaskRCNN)
    dataset = task.read_split(run.path, files.data, "test", LabelOptions())
    with photo_progress("evaluating") as progress:
        report, detections = task.evaluate_with_detections(model, dataset, progress=progress)
    draw_comparisons(dataset, detections, comparison_folder(dataset, files.pictures))
    shown = range(min(OVERVIEW_PHOTOS, len(dataset)))
    photos = [load_photo(dataset.path(photo)) for photo in shown]
    save_picture(draw_overview(photos, detections[: len(photos)]), files.overview)
    save_picture(explain_photo(model, dataset.path(0)).contact_sheet(), files.stages)
    Console().print(report.table)


def _try_selective_search(files: DemoFiles) -> None:
    """Run Selective Search once, so that its kernels are compiled before the first `boxmask proposals`."""
    from boxmask.cli.progress import photo_progress
    from boxmask.photos.read import load_photo
    from boxmask.pipeline.selective_search import selective_search

    with photo_progress("trying Selective Search"):
        selective_search(load_photo(next((files.data / "images").iterdir())))


def _print_next_steps(run: Run, files: DemoFiles) -> None:
    """Name the files to look at, and the commands to try next."""
    lines = (
        "Look at:",
        f"  {files.overview}  boxes, outlines and the class of every pixel, in photos it has never seen",
        f"  {files.stages}  what each stage of the network sees",
        f"  {files.pictures}  every test photo, as labeled and as found",
        f"  {run.curve_file}  losses and metrics during training",
        f"  {files.data}  the generated photos and labels",
        "Then try your own photos:",
        f"  boxmask predict {run.path} PHOTO_OR_FOLDER",
        "  boxmask train YOUR_LABELED_PHOTOS --max-minutes 10",
    )
    print("\n".join(lines))
