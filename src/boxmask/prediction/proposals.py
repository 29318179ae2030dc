"""Object proposals of labeled data sets and of photos; the work of `boxmask proposals`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import UsageError
from boxmask.photos.read import load_photo, to_image
from boxmask.pipeline.selective_search.search import SelectiveSearchConfig
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.pictures import save_picture
from boxmask.visualization.boxes import draw_boxes
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.proposals import draw_hierarchy

BoxesOf: TypeAlias = Callable[[Path], Tensor]
"""A photo -> its proposals: (N, 4) xyxy in pixels of the photo, most promising first."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each photo with the number of photos done and of all photos."""

MAX_SHOWN = 100  # more boxes would hide the photo


def proposals_of(
    dataset: DetectionDataset, boxes_of: BoxesOf, progress: Progress | None = None
) -> list[Tensor]:
    """The proposals of each photo of a data set."""
    proposals = []
    for photo in range(len(dataset)):
        proposals.append(boxes_of(dataset.path(photo)))
        if progress is not None:
            progress(photo + 1, len(dataset))
    return proposals


def rpn_boxes(detector: Detector, limit: int | None = None) -> BoxesOf:
    """The first `limit` proposals of the RPN of a Faster R-CNN. Raises UsageError for another detector."""
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
) -> list[Path]:
    """Draw the first proposals of each photo into the folder `out`, as JPEG files; returns the files.

    config: of Selective Search; draws the regions that it groups beside the proposals

    Raises PhotoError, and UsageError, before anything is drawn, if a picture would overwrite a photo.
    """
    files = [out / f"{name}.jpg" for name in picture_names(photos)]
    check_not_overwriting(files, photos)
    for number, (photo, file) in enumerate(zip(photos, files, strict=True), start=1):
        pixels = load_photo(photo)
        pictures = {f"the first {MAX_SHOWN} proposals": draw_boxes(pixels, boxes_of(photo)[:MAX_SHOWN])}
        if config is not None:
            pictures |= draw_hierarchy(pixels, config)
        save_picture(contact_sheet(list(pictures.values()), columns=3, captions=list(pictures)), file)
        if progress is not None:
            progress(number, len(photos))
    return files
