"""The public function that explains a photo. It imports what it needs, so that `import boxmask` is quick."""

from __future__ import annotations

import os  # noqa: F401 (RunLike names it)
from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.errors import UsageError
from boxmask.missing_packages import needs_packages
from boxmask.model_verbs import RunLike
from boxmask.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor  # noqa: F401 (a photo may be one)

    from boxmask.explaining.contract import Explanation
    from boxmask.photos.read import Photo
    from boxmask.runs.run import Run  # noqa: F401 (RunLike names it)


@needs_packages("boxmask.explain")
def explain(
    run: RunLike,
    photo: Photo,
    *,
    min_score: float = 0.5,
    saliency: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> Explanation:
    """Run a model on one photo, and show each stage on the way to its result.

        explanation = boxmask.explain(run, "photo.jpg")
        for stage in explanation:
            print(stage.title, stage.text)
        explanation["nms"].picture, explanation["nms"].data["removed_by"]
        explanation.save("look-inside/")

    run:       a run, a checkpoint or published weights; not an exported file
    photo:     a path, PIL image, array or tensor, as `predict` takes it
    min_score: the lowest score of the objects that are drawn
    saliency:  detectors: with this many copies of the photo, parts of them hidden, also measure what the
               detections depend on; 500 give a clear picture
    progress:  called with the number of copies that are done, and of all

    Raises PhotoError, CheckpointError, WeightsError or UsageError.
    """
    from boxmask.explaining.explain import ExplainOptions, explain_photo
    from boxmask.weights.checkpoint import load_model

    options = ExplainOptions(min_score, saliency)
    if Path(run).suffix.lower() == ".onnx":
        raise UsageError(
            f"{run}: an exported file has no stages to look into. Give the run that it was exported from."
        )
    return explain_photo(load_model(Path(run), device), photo, options, progress)
