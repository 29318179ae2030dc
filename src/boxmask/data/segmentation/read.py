"""Read segmentation labels: label maps, or the masks of a detection data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.contract import SPLITS
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read import has_detection_labels, read_unsplit_detection
from boxmask.data.formats.labels import LabeledPhoto
from boxmask.data.formats.source import Source, find_source
from boxmask.data.formats.voc_splits import match_lists, read_splits
from boxmask.data.messages import format_note
from boxmask.data.photo_sizes import read_sizes
from boxmask.data.segmentation.classes_file import LabelMapClasses, find_classes_file, read_classes_file
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.from_masks import segmentation_from_detection
from boxmask.data.segmentation.label_maps import (
    LabelMapsFromFiles,
    OnUnknownColors,
    check_sizes,
    check_values,
    count_pixels,
    missing_classes_file_message,
    summarize_label_maps,
)
from boxmask.data.segmentation.pairs import EXPECTED_LAYOUT, Pair, find_pairs, scene_folder
from boxmask.data.split import draw_missing_splits
from boxmask.data.split_file import apply_split_file
from boxmask.errors import LabelError

MAX_FOLDERS_SHOWN = 6


def read_segmentation(
    path: str | Path,
    *,
    split_seed: int = 0,
    split_file: str | Path | None = None,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
) -> SegmentationDataset:
    """Read photos with a class for every pixel, sorted by name.

    Splits are those of `split_file`, else the data set's own; missing ones are drawn with `split_seed`. The
    data set's `notes` tell what was left out or changed. Raises LabelError and PhotoError as
    `read_unsplit_segmentation` does.
    """
    unsplit = read_unsplit_segmentation(
        path, classes_file=classes_file, on_unknown_colors=on_unknown_colors, on_bad_boxes=on_bad_boxes
    )
    if split_file:
        return apply_split_file(unsplit, split_file)
    dataset = draw_missing_splits(unsplit, split_seed)
    return replace(dataset, notes=dataset.notes + _note_on_mixed_folders(unsplit))


def read_unsplit_segmentation(
    path: str | Path,
    *,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
) -> SegmentationDataset:
    """Read photos with a class for every pixel; `splits` is "" where the data set names no split.

    Masks come before label maps, unless a classes file is given. Label maps come before boxes without
    masks, as in Pascal VOC.

    classes_file:      the classes of the label maps (see `classes_file.py`). Default: the data set's.
    on_unknown_colors: what to do with colors that the classes file does not name
    on_bad_boxes:      see `read_detection`

    Raises LabelError and PhotoError as `read_unsplit_detection` and `read_unsplit_label_maps` do.
    """
    path = Path(path)
    if classes_file is not None or not has_detection_labels(path):
        return read_unsplit_label_maps(path, classes_file, on_unknown_colors)
    objects = read_unsplit_detection(path, on_bad_boxes)
    if objects.has_mask.any():
        return segmentation_from_detection(objects)
    if has_label_maps(path):
        return read_unsplit_label_maps(path, classes_file, on_unknown_colors)
    raise LabelError(
        f"{path}: its objects have boxes but no masks, which segmentation needs. Give a data set with masks "
        "(COCO's segmentation), or with label maps beside its photos."
    )


# ---------------------------------------------------------------- label maps


def has_label_maps(path: Path) -> bool:
    """Whether a folder holds photos with label maps. Raises LabelError if they do not match one to one."""
    return path.is_dir() and bool(find_pairs(find_source(path))[0])


def read_unsplit_label_maps(
    path: str | Path,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
) -> SegmentationDataset:
    """Read a folder of photos with label maps (see `pairs.py` for the folders they may lie in).

    Raises LabelError for label maps that are missing, unreadable, of another size than their photo, or with
    unknown colors. Without a classes file, the error offers one to fill in. Raises PhotoError for photos that
    cannot be read.
    """
    source, pairs, notes = _find_pairs(Path(path))
    photos, files = [pair.photo for pair in pairs], [pair.label_map for pair in pairs]
    sizes = read_sizes(source.root, [LabeledPhoto(pair.photo, pair.label_map) for pair in pairs])
    modes = check_sizes(source.root, photos, files, sizes)
    classes = _read_classes(source.root, files, modes, classes_file)
    summaries = summarize_label_maps(source.root, files, classes.by_color)
    notes += classes.notes + check_values(summaries, files, classes, on_unknown_colors)
    pixel_counts = count_pixels(summaries, classes)
    checksums = np.array([summary.checksum for summary in summaries], dtype=np.uint32)
    return SegmentationDataset(
        root=source.root,
        class_names=classes.names,
        files=np.array(photos),
        sizes=sizes,
        splits=_splits(source, pairs),
        pixel_counts=pixel_counts,
        source=LabelMapsFromFiles(source.root, np.array(files), classes, on_unknown_colors, checksums),
        notes=notes + _note_on_absent_classes(pixel_counts, classes),
    )


def _find_pairs(path: Path) -> tuple[Source, list[Pair], tuple[str, ...]]:
    source = find_source(path)
    pairs, notes = find_pairs(source)
    if not pairs:
        found = source.describe_contents()
        raise LabelError(f"{path}: no label maps found. Looked for {EXPECTED_LAYOUT}; found {found}.")
    return source, pairs, notes + source.notes


def _read_classes(
    root: Path, files: list[str], modes: list[str], classes_file: str | Path | None
) -> LabelMapClasses:
    """The classes of `classes_file`, else of the file in `root`. Raises LabelError if there is none."""
    path = Path(classes_file) if classes_file else find_classes_file(root)
    if path is None:
        by_color = any(mode.startswith(("P", "RGB", "LA")) for mode in modes)
        summaries = summarize_label_maps(root, files, by_color)
        raise LabelError(missing_classes_file_message(root, summaries, files, by_color))
    return read_classes_file(path)


def _splits(source: Source, pairs: list[Pair]) -> NDArray[np.str_]:
    """From VOC's lists for segmentation, else from folder names."""
    photos = [pair.photo for pair in pairs]
    listed = match_lists(read_splits(source, "Segmentation"), photos).entries
    if listed:
        return np.array([listed[photo].split if photo in listed else "" for photo in photos], dtype="<U5")
    return np.array([pair.split for pair in pairs], dtype="<U5")


# ---------------------------------------------------------------- notes


def _note_on_absent_classes(pixel_counts: NDArray[np.int64], classes: LabelMapClasses) -> tuple[str, ...]:
    """Classes that no label map shows. Raises LabelError if none shows any class."""
    total = pixel_counts.sum(axis=0)
    if not total.any():
        raise LabelError(f"{classes.file}: no pixel of any label map has a class of this file.")
    absent = [name for name, count in zip(classes.names, total.tolist(), strict=True) if not count]
    return format_note(f"classes of {classes.file} that no label map shows", absent)


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
        "give a split file that keeps every folder in one split",
    )
