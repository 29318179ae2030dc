"""Evaluating a segmenter and drawing its label maps in one pass, so that no map has to be kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from boxmask.data.class_checks import OnUnseenClasses
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.evaluation.segmentation.evaluate import SegmentationEvaluation, evaluate_label_maps
from boxmask.photos.read import load_photo
from boxmask.progress import Progress
from boxmask.results.picture_folder import PictureFolder
from boxmask.segmenters.contract import Segmenter
from boxmask.tasks.segmentation.kept_label_maps import KeptLabelMaps
from boxmask.types import IGNORED, SegmentationMap
from boxmask.visualization.segmentation import draw_label_map_comparison


def evaluate_and_draw(
    segmenter: Segmenter,
    dataset: SegmentationDataset,
    on_unseen_classes: OnUnseenClasses = "error",
    progress: Progress | None = None,
    pictures: PictureFolder | None = None,
    keep: KeptLabelMaps | None = None,
) -> SegmentationEvaluation:
    """The metrics, with intervals. Each photo is drawn into the folder `pictures`, if there is one.

    keep: takes the label maps; None if they are not needed any more
    """
    photos = [dataset.path(photo) for photo in range(len(dataset))]

    def label_maps() -> Iterator[SegmentationMap]:
        for photo, path in enumerate(photos):
            label_map = segmenter.predict(path)
            if pictures is not None:
                labels = _with_class_names(dataset, photo, label_map.class_names)
                pictures.save(photo, draw_label_map_comparison(load_photo(path), labels, label_map))
            if keep is not None:
                keep.append(label_map)
            yield label_map
            if progress is not None:
                progress(photo + 1, len(photos))

    class_names = segmenter.config.class_names
    return evaluate_label_maps(dataset, label_maps(), class_names, on_unseen_classes=on_unseen_classes)


def _with_class_names(
    dataset: SegmentationDataset, photo: int, class_names: tuple[str, ...]
) -> UInt8[np.ndarray, "H W"]:
    """The labels of a photo, counted by these class names; IGNORED where they lack the class."""
    table = np.full(256, IGNORED, dtype=np.uint8)
    for label, name in enumerate(dataset.class_names):
        table[label] = class_names.index(name) if name in class_names else IGNORED
    return np.asarray(table[dataset.target(photo).labels.numpy()])
