"""Object proposals of labeled data sets and of photos; the work of `boxmask proposals`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import PhotoError, UsageError
from boxmask.photos.read import load_photo, to_image
from boxmask.pipeline.selective_search.search import SelectiveSearchConfig
from boxmask.progress import Progress
from boxmask.results.picture_folder import PictureFolder
from boxmask.visualization.boxes import draw_boxes
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.proposals import draw_hierarchy

if TYPE_CHECKING:
    from boxmask.detectors.contract import Detector

BoxesOf: TypeAlias = Callable[[Path], Tensor]
"""A photo -> its proposals: (N, 4) xyxy in pixels of the photo, most promising first."""


MAX_SHOWN = 100  # more boxes would hide the photo


def proposals_of(
    dataset: DetectionDataset, boxes_of: BoxesOf, progress: Progress | None = None
) -> tuple[dict[int, Tensor], list[str]]:
    """The proposals of each photo of a data set by its index, and one error per photo that cannot be read."""
    proposals: dict[int, Tensor] = {}
    errors: list[str] = []
    for photo in range(len(dataset)):
        try:
            proposals[photo] = boxes_of(dataset.path(photo))
        except PhotoError as error:
            errors.append(str(error))
        if progress is not None:
            progress(photo + 1, len(dataset))
    return proposals, errors


def rpn_boxes(detector: Detector, limit: int | None = None) -> BoxesOf:
    """The first `limit` proposals of the RPN of a Faster R-CNN. Raises UsageError for another detector."""
    from boxmask.detectors.faster_rcnn import FasterRCNN

    if not isinstance(detector, FasterRCNN):
        raise UsageError(
            "--method rpn needs a Faster R-CNN, and --run holds another detector. Give another --run."
        )
    return lambda photo: detector.propose(to_image(photo))[:limit]


def draw_proposals(
    photos: Sequence[Path],
    boxes_of: BoxesOf,
    out: Path,
    config: SelectiveSearchConfig | None = None,
    progress: Progress | None = None,
) -> PictureFolder:
    """Draw the first proposals of each photo into the folder `out`, as JPEG files; returns the folder.

    config: of Selective Search; draws the regions that it groups beside the proposals

    A photo that cannot be read, or a picture that cannot be written, becomes one of the folder's errors.
    Raises UsageError, before anything is drawn, if a picture would replace a photo or another file that
    boxmask did not write.
    """
    folder = PictureFolder.for_photos(out, photos)
    for index, photo in enumerate(photos):
        try:
            pixels = load_photo(photo)
            pictures = {f"the first {MAX_SHOWN} proposals": draw_boxes(pixels, boxes_of(photo)[:MAX_SHOWN])}
            if config is not None:
                pictures |= draw_hierarchy(pixels, config)
        except PhotoError as error:
            folder.errors.append(str(error))
        else:
            folder.save(index, contact_sheet(list(pictures.values()), columns=3, captions=list(pictures)))
        if progress is not None:
            progress(index + 1, len(photos))
    return folder
