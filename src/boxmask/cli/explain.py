"""boxmask explain RUN PHOTO: a photo's way through a model."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from boxmask.cli.imports import quick_imports


def explain(
    run: Path,
    photo: Path,
    /,
    *,
    out: Path = Path("explanation"),
    min_score: float = 0.5,
    saliency: int = 0,
    device: str = "auto",
) -> int:
    """Show how a model gets from a photo to its result: one picture and a few sentences per stage.

    It writes numbered pictures (01-image.jpg, 02-features.jpg, ...), all of them in one (all-stages.jpg), and
    the sentences (stages.txt).

    Parameters
    ----------
    run
        Folder written by training, a checkpoint, or the name of published weights (boxmask weights list).
    photo
        One photo.
    out
        Folder for the pictures.
    min_score
        Detectors: lowest score of the objects that are drawn, 0 to 1. If there are none, the three with the
        highest scores are followed.
    saliency
        Detectors: also measure which parts of the photo the detections depend on, with this many copies of
        it in which random parts are hidden (D-RISE). 500 give a clear picture. Each takes as long as a
        prediction.
    device
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...
    """
    from boxmask.cli.interrupts import interrupt_on_signals
    from boxmask.cli.output import print_errors, print_notes
    from boxmask.cli.progress import photo_progress

    with quick_imports():
        from boxmask.explain_verb import explain as explain_photo
        from boxmask.explaining.save import save_explanation

    interrupt_on_signals()
    with photo_progress("hiding parts of the photo") if saliency else nullcontext() as progress:
        explanation = explain_photo(
            run, photo, min_score=min_score, saliency=saliency, device=device, progress=progress
        )
    folder = save_explanation(explanation, out, (photo,))
    print_notes(folder.notes)
    for stage, file in zip(explanation, folder.planned, strict=False):
        print(f"{file.name}  {stage.title}. {stage.summary}")
    print(out)
    return print_errors(folder.errors)
