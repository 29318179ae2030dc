"""The interface of a task: what training, evaluation and prediction do for one kind of labels.

A model's task is looked up once, in `tasks/table.py`; no other code asks which kind of model it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Int
from rich.console import Group
from torch import Tensor

from boxmask.data.augmentation.combination import Combination
from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.evaluation.contract import Evaluation
from boxmask.evaluation.failures.contract import FailureAnalysis
from boxmask.options import check_choices
from boxmask.pipeline.images import Size
from boxmask.prediction.contract import ResultWriter
from boxmask.prediction.view_options import ViewOptions
from boxmask.progress import Progress
from boxmask.results.min_score import MinScore
from boxmask.results.picture_folder import PictureFolder
from boxmask.runs.recipe import Recipe
from boxmask.runs.splits import Split
from boxmask.visualization.fonts import notes_on_fonts
from boxmask.visualization.style import RGBImage

Augment: TypeAlias = Callable[[Tensor, Any, np.random.Generator], tuple[Tensor, Any]]
"""A training photo, uint8 (3, H, W), and its target -> both, changed alike."""


DatasetT = TypeVar("DatasetT")
ModelT = TypeVar("ModelT", contravariant=True)


@dataclass(frozen=True)
class LabelOptions:
    """How an evaluation reads labels; see `boxmask evaluate --help`.

    classes_file, on_unknown_colors: default: as in training, if the data set is the same
    classes, map: default: as in training
    unseen: whether to leave out photos that were seen in training
    others: further runs of an ensemble, whose training photos count as seen, too

    Raises UsageError for a value that an option does not have.
    """

    on_bad_boxes: OnBadBoxes | None = None
    on_bad_photos: OnBadPhotos = "error"
    on_unseen_classes: OnUnseenClasses = "error"
    classes_file: Path | None = None
    on_unknown_colors: Literal["error", "skip"] | None = None
    classes: tuple[str, ...] | None = None
    map: tuple[str, ...] = ()
    unseen: bool = False
    others: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        check_choices(LabelOptions, vars(self))


@dataclass(frozen=True)
class EvaluationReport:
    """An evaluation, and its table for the terminal.

    pictures: the files that were drawn
    notes:    remarks about the pictures
    errors:   one message per picture that could not be written
    dataset:  the photos, or items, that were evaluated; None unless results are kept
    results:  what the model found in each of them; none unless results are kept
    failures: what failed in the results; None unless they are kept
    """

    evaluation: Evaluation
    table: Group
    pictures: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    dataset: Any = None
    results: Sequence[Any] = ()
    failures: FailureAnalysis | None = None

    def with_pictures(self, folder: PictureFolder, class_names: Sequence[str]) -> EvaluationReport:
        """The report with the files, notes and errors of the folder that the pictures were drawn into."""
        notes = folder.notes + (notes_on_fonts(class_names) if folder.files else ())
        return replace(self, pictures=tuple(folder.files), notes=notes, errors=tuple(folder.errors))


class Task(Protocol[DatasetT, ModelT]):
    """Detection, segmentation or classification, for any network.

    DatasetT: DetectionDataset, SegmentationDataset or ClassificationDataset
    ModelT:   Detector, Segmenter or Classifier
    """

    # ---------------------------------------------------------------- training

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that training shows. The first decides which weights are best."""

    def read(
        self,
        data: Path,
        recipe: Recipe,
        progress: Progress | None = None,
        earlier: Sequence[EarlierSplit] = (),
    ) -> DatasetT:
        """Read the labeled photos with their splits and check them for training.

        earlier:  splits that may be kept, the first choice first
        progress: called while photos are examined, which `Recipe.group_by` may need

        Raises LabelError or PhotoError.
        """

    def photos(self, dataset: DatasetT) -> Any:
        """The data set of whole photos, whose splits the run records."""

    def config_options(self, dataset: DatasetT, recipe: Recipe) -> dict[str, Any]:
        """The options of the model's config that follow from the data set, such as its class names."""

    def input_size(self, size: Size, config: Any) -> Size:
        """(height, width) of a photo of this size in the network, without padding."""

    def sample(self, dataset: DatasetT, item: int, config: Any) -> tuple[Tensor, Any]:
        """A photo and its target, at the size at which they are kept in memory."""

    def combination(self, recipe: Recipe, config: Any, counts: Int[np.ndarray, "P K"]) -> Combination:
        """The random changes to a sample each time it is used, some of them with other photos.

        counts: how often each class occurs in each photo
        """

    def draw_samples(self, samples: list[tuple[Tensor, Any]], class_names: Sequence[str]) -> RGBImage:
        """Draw augmented photos with their labels, as one picture."""

    def draw_results(self, images: Sequence[Tensor], results: Sequence[Any]) -> RGBImage:
        """Draw what a model found in images, uint8 (3, H, W), as one picture.

        results: result i is that of image i
        """

    def validate(
        self, model: ModelT, dataset: DatasetT, recipe: Recipe, progress: Progress
    ) -> dict[str, Any]:
        """The metrics by name, without intervals."""

    # ---------------------------------------------------------------- evaluation

    def read_split(self, run: Path, data: Path, split: Split, options: LabelOptions) -> DatasetT:
        """Read the photos of one split for an evaluation.

        Raises LabelError and PhotoError, and UsageError for an option that this task does not have.
        """

    def evaluate(
        self,
        model: ModelT,
        dataset: DatasetT,
        on_unseen_classes: OnUnseenClasses = "error",
        progress: Progress | None = None,
        pictures: Path | None = None,
        *,
        keep_results: bool = False,
    ) -> EvaluationReport:
        """Evaluate a model, with intervals.

        pictures:     a folder to draw labels and results into
        keep_results: whether the report holds what the model found, and what failed

        Raises UsageError, before any photo is opened, if a picture would replace a photo or another file that
        boxmask did not write.
        """

    def analyze_failures(self, dataset: DatasetT, results: Sequence[Any]) -> FailureAnalysis:
        """What failed: confused classes, the worst photos, suspect labels and more.

        results: result i is that of photo i, or of item i of a classifier's data set

        Classes that only the model or only the data set has are left out.
        """

    # ---------------------------------------------------------------- prediction

    def with_views(self, models: Sequence[ModelT], views: ViewOptions, tile: int | None) -> Any:
        """One or several models as one, which looks at each photo as often as the options say.

        tile: the side of the tiles in pixels; None for whole photos

        Raises UsageError for an option that the models do not have.
        """

    def writer(
        self, model: ModelT, out: Path, formats: tuple[str, ...] | None, min_score: MinScore
    ) -> ResultWriter[Any]:
        """The writer of this model's results into the folder `out`.

        formats:   None: the default formats
        min_score: of the files of one photo

        Raises UsageError for a format that the results cannot be written in.
        """
