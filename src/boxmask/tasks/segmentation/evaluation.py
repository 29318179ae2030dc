"""A segmenter against labeled pixels, in figures and in pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.segmentation.evaluate import SegmentationEvaluation, evaluate_label_maps
from boxmask.photos.read import load_photo
from boxmask.results.paths import check_not_overwriting, picture_names
from boxmask.results.pictures import save_picture
from boxmask.segmenters.contract import Segmenter
from boxmask.types import IGNORED, SegmentationMap
from boxmask.visualization.segmentation import draw_label_map_comparison


def evaluate_and_draw_segmenter(
    segmenter: Segmenter,
    dataset: SegmentationDataset,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Callable[[int, int], None] | None = None,
    pictures: Path | None = None,
) -> SegmentationEvaluation:
    """The figures, with intervals; each photo is drawn into the folder `pictures`, if any, as it is judged.

    Raises UsageError, before any photo is opened, if a picture would replace a photo.
    """
    photos = [dataset.path(photo) for photo in range(len(dataset))]
    files = [pictures / f"{name}.jpg" for name in picture_names(photos)] if pictures else []
    check_not_overwriting(files, photos)

    def maps() -> Iterator[SegmentationMap]:
        for photo, path in enumerate(photos):
            found = segmenter.predict(path)
            if files:
                labeled = _counted_by(found, dataset, photo)
                save_picture(draw_label_map_comparison(load_photo(path), labeled, found), files[photo])
            yield found
            if progress is not None:
                progress(photo + 1, len(photos))

    known = segmenter.config.class_names
    return evaluate_label_maps(dataset, maps(), known, on_unseen_classes=on_unseen_classes)


def _counted_by(found: SegmentationMap, dataset: SegmentationDataset, photo: int) -> UInt8[np.ndarray, "H W"]:
    """The labels of a photo, counted by the segmenter's class names; IGNORED where it has no such class."""
    names = found.class_names
    table = np.full(256, IGNORED, dtype=np.uint8)
    for label, name in enumerate(dataset.class_names):
        table[label] = names.index(name) if name in names else IGNORED
    return np.asarray(table[dataset.target(photo).labels.numpy()])
