"""Read segmentation labels: label maps, or the masks of a detection data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.contract import SPLITS
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.canonical_order import in_canonical_order
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.data.groups.choose import choose_splits
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.photo_list import SelectPhotos, select_all
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.from_masks import segmentation_from_detection
from boxmask.data.segmentation.label_map_folder import read_unsplit_label_maps
from boxmask.data.segmentation.label_maps import OnUnknownColors
from boxmask.data.segmentation.pairs import has_label_maps, scene_folder
from boxmask.data.segmentation.selected_classes import select_label_map_classes
from boxmask.errors import LabelError
from boxmask.options import option
from boxmask.progress import Progress

MAX_FOLDERS_SHOWN = 6


def read_segmentation(
    path: str | Path,
    *,
    split_seed: int | None = None,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    selection: ClassSelection = ALL_CLASSES,
    earlier: Sequence[EarlierSplit] = (),
    progress: Progress | None = None,
) -> SegmentationDataset:
    """Read photos with a class for every pixel, sorted by name.

    `choose_splits` tells where the splits come from. The data set's `notes` tell what was left out or
    changed. Raises LabelError and PhotoError as `read_unsplit_segmentation` does, and UsageError as
    `choose_splits` does.

    split_seed, group_by, earlier, progress: see `choose_splits`
    """
    unsplit = read_unsplit_segmentation(
        path,
        classes_file=classes_file,
        on_unknown_colors=on_unknown_colors,
        on_bad_boxes=on_bad_boxes,
        on_bad_photos=on_bad_photos,
        selection=selection,
    )
    dataset = choose_splits(unsplit, split_seed, split_file, group_by, on_bad_photos, earlier, progress)
    is_grouped = split_file or group_by or (dataset.draw and dataset.draw.group_by)
    notes = () if is_grouped else _note_on_mixed_folders(unsplit)
    return replace(dataset, notes=dataset.notes + notes)


def read_unsplit_segmentation(
    path: str | Path,
    *,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    select: SelectPhotos = select_all,
    selection: ClassSelection = ALL_CLASSES,
) -> SegmentationDataset:
    """Read photos with a class for every pixel; `splits` is "" where the data set names no split.

    Masks come before label maps, unless a classes file is given. Label maps come before boxes without
    masks, as in Pascal VOC.

    classes_file:      the classes of the label maps (see `classes_file.py`). Default: the data set's.
    on_unknown_colors: what to do with colors that the classes file does not name
    on_bad_boxes:      see `read_detection`
    on_bad_photos:     what to do with photos and label maps that cannot be read
    select:            chooses the photos to return; others need not be intact
    selection:         the classes to use; the pixels of others count as background

    Raises LabelError and PhotoError as `read_unsplit_detection` and `read_unsplit_label_maps` do.
    """
    path = Path(path)
    if classes_file is None and has_detection_labels(path):
        objects = read_unsplit_detection(path, on_bad_boxes, on_bad_photos, select=select)
        if objects.has_mask.any():
            return select_label_map_classes(
                segmentation_from_detection(in_canonical_order(objects)), selection
            )
        _check_label_maps(path)
    maps = read_unsplit_label_maps(path, classes_file, on_unknown_colors, on_bad_photos, select)
    return select_label_map_classes(maps, selection)


def _check_label_maps(path: Path) -> None:
    """Raise LabelError if objects without masks are all that there is."""
    if has_label_maps(path):
        return
    raise LabelError(
        f"{path}: its objects have boxes but no masks, which segmentation needs. Give a data set with masks "
        "(COCO's segmentation), or with label maps beside its photos."
    )


# ---------------------------------------------------------------- label maps


# ---------------------------------------------------------------- notes


def _note_on_mixed_folders(unsplit: SegmentationDataset) -> tuple[str, ...]:
    """A warning if a random split mixes folders whose photos may be tiles of one larger picture."""
    if all(name in unsplit.splits for name in SPLITS):
        return ()
    drawn = unsplit.files[np.isin(unsplit.splits, ("", "train"))].tolist()
    folders = sorted({scene_folder(file) for file in drawn})
    if len(folders) < 2 or len(folders) == len(drawn):
        return ()
    more = ", ..." if len(folders) > MAX_FOLDERS_SHOWN else ""
    return (
        f"the random split mixes the photos of {len(folders)} folders "
        f"({', '.join(folders[:MAX_FOLDERS_SHOWN])}{more}). If the photos of a folder are tiles of one "
        "larger picture, training sees neighbors of the test photos and the metrics come out too high: then "
        f"keep every folder in one split with {option('group_by', 'folder')}",
    )
