"""The trained model that labels are compared with."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_selection import ClassSelection
from boxmask.detectors.contract import Detector
from boxmask.doctor.check import kind_of_labels
from boxmask.doctor.report import LabelKind
from boxmask.errors import LabelError, UsageError
from boxmask.file_kinds import is_file, is_folder
from boxmask.models.table import AnyModel, name_of
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe
from boxmask.weights.checkpoint import load_model


@dataclass(frozen=True)
class TrainedModel:
    """A detector or classifier, and what is known of its training.

    path:      as the user gave it
    selection: the classes of the training, and their new names
    """

    path: Path
    model: Detector | Classifier
    selection: ClassSelection

    def check_fits(self, label_kind: LabelKind) -> None:
        """Raise UsageError if labels of this kind cannot be compared with the results of the model."""
        expected = "objects" if isinstance(self.model, Detector) else "class folders"
        if label_kind != expected:
            name = name_of(self.model)
            raise UsageError(
                f"{self.path}: {name} {_FINDS[expected]}, but the data set has {_SHOWS[label_kind]}. "
                f"{_REMEDIES[label_kind]}"
            )


_FINDS = {"objects": "finds objects in boxes", "class folders": "finds the class of a whole photo"}
_SHOWS = {"objects": "labeled objects", "class folders": "class folders", "label maps": "label maps"}
_REMEDIES = {
    "objects": "Give the run of a detector.",
    "class folders": "Give the run of a classifier.",
    "label maps": "Leave out the run: label maps are not compared with a model.",
}


def open_run_for(data: Path, run: Path, device: str = "auto") -> TrainedModel:
    """Load the model of a run folder or checkpoint, to check the labels of a data set with it.

    device: see `boxmask.load`

    Raises CheckpointError if it cannot be loaded, or its recipe is damaged, and UsageError for a segmenter,
    for a model that does not fit the labels, and for a device that this machine does not have.
    """
    trained = open_run(run, device)
    if is_file(data) or is_folder(data):
        with contextlib.suppress(LabelError):  # the check reports labels that cannot be read
            trained.check_fits(kind_of_labels(data))
    return trained


def open_run(run: Path, device: str = "auto") -> TrainedModel:
    """Load the model as `open_run_for` does, for any data set."""
    model = _detector_or_classifier(load_model(run, device), run)
    folder = Run.from_path(run)
    recipe = read_recipe(folder)[0] if folder.recipe_file.is_file() else Recipe()
    return TrainedModel(run, model, ClassSelection(recipe.classes, recipe.map, strict=False))


def _detector_or_classifier(model: AnyModel, run: Path) -> Detector | Classifier:
    if isinstance(model, Detector | Classifier):
        return model
    raise UsageError(
        f"{run}: this is a segmenter ({name_of(model)}). Labels are compared with detectors and classifiers. "
        "To see label maps beside the results of a segmenter: boxmask evaluate RUN DATA --split all "
        "--pictures DIR."
    )
