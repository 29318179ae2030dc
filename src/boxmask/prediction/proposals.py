"""The verb `proposals`: where objects may be, judged on labeled photos or drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.contract import Detector
from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import UsageError
from boxmask.photos.read import load_photo, to_image
from boxmask.pipeline.selective_search.search import Hierarchy, SelectiveSearchConfig, hierarchies, searched
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.pictures import save_picture
from boxmask.visualization.boxes import draw_boxes
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.style import RGBImage

BoxesOf = Callable[[Path], Tensor]  # photo -> (N, 4) xyxy in its pixels, likeliest first
SHOWN = 100  # proposals in a picture; more would hide it
LEVELS = (64, 16, 4)  # regions left, at which a hierarchy is shown


def proposals_of(
    dataset: DetectionDataset, boxes_of: BoxesOf, progress: Callable[[int, int], None] | None = None
) -> list[Tensor]:
    """The proposals of every photo of a data set; `progress(done, photos)` is called after each."""
    found = []
    for photo in range(len(dataset)):
        found.append(boxes_of(dataset.path(photo)))
        if progress is not None:
            progress(photo + 1, len(dataset))
    return found


def rpn_boxes(detector: Detector, limit: int | None = None) -> BoxesOf:
    """What a trained Faster R-CNN's RPN proposes, the first `limit`; UsageError for another detector."""
    if not isinstance(detector, FasterRCNN):
        raise UsageError("--method rpn: only a Faster R-CNN has a region proposal network")
    return lambda photo: detector.propose(to_image(photo))[:limit]


def draw_proposals(
    photos: Sequence[Path],
    boxes_of: BoxesOf,
    out: Path,
    config: SelectiveSearchConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """A picture of each photo: its first proposals and, with `config`, the regions that are grouped.

    Raises UsageError, before anything is drawn, if a picture would replace a photo.
    """
    pictures = [out / f"{name}.jpg" for name in picture_names(photos)]
    check_not_overwriting(pictures, photos)
    for number, (photo, picture) in enumerate(zip(photos, pictures, strict=True), start=1):
        pixels = load_photo(photo)
        parts = {f"the first {SHOWN} proposals": draw_boxes(pixels, boxes_of(photo)[:SHOWN])}
        if config is not None:
            parts |= hierarchy_pictures(pixels, config)
        save_picture(contact_sheet([*parts.values()], columns=3, captions=[*parts]), picture)
        if progress is not None:
            progress(number, len(photos))
    return pictures


def hierarchy_pictures(photo: RGBImage, config: SelectiveSearchConfig) -> dict[str, RGBImage]:
    """The first strategy's regions at the start and at `LEVELS`, each in its mean color, by caption."""
    picture = searched(photo, config)
    first = hierarchies(picture, config)[0]
    counts = [int(first.labels.max()) + 1, *LEVELS]
    return {f"{first.strategy}: {n} regions": in_mean_colors(picture, regions_left(first, n)) for n in counts}


def regions_left(hierarchy: Hierarchy, count: int) -> NDArray[np.int32]:
    """(H, W) region of each pixel when `count` are left."""
    regions = int(hierarchy.labels.max()) + 1
    parents = np.arange(regions + len(hierarchy.merges))
    for number, pair in enumerate(hierarchy.merges[: max(0, regions - count)]):
        parents[pair] = regions + number
    for region in reversed(range(len(parents))):  # what a region became comes after it
        parents[region] = parents[parents[region]]
    left: NDArray[np.int32] = parents[hierarchy.labels].astype(np.int32)
    return left


def in_mean_colors(picture: RGBImage, labels: NDArray[np.int32]) -> RGBImage:
    """Every region filled with the mean of its pixels."""
    _, dense, counts = np.unique(labels, return_inverse=True, return_counts=True)
    flat = dense.reshape(-1)
    means = [np.bincount(flat, picture[..., c].reshape(-1)) / counts for c in range(3)]
    return np.stack(means, axis=1)[flat].reshape(picture.shape).round().astype(np.uint8)
