"""Read segmentation labels: label maps, or the masks of a detection data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.contract import SPLITS
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read import has_detection_labels, read_unsplit_detection
from boxmask.data.formats.source import Source, find_source, notes_on_unread_files
from boxmask.data.formats.voc_splits import is_split_list, match_lists, read_splits
from boxmask.data.photo_checks import UNREADABLE, OnBadPhotos, check_photos, note_on_bad_photos
from boxmask.data.photo_list import PhotoList, SelectPhotos, select_all
from boxmask.data.segmentation.classes_file import (
    CLASSES_FILE_NAMES,
    LabelMapClasses,
    find_classes_file,
    read_classes_file,
)
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.from_masks import segmentation_from_detection
from boxmask.data.segmentation.label_map_checks import check_sizes, check_values, notes_on_classes
from boxmask.data.segmentation.label_map_file import read_mode
from boxmask.data.segmentation.label_map_values import missing_classes_file_message
from boxmask.data.segmentation.label_maps import (
    LabelMapsFromFiles,
    OnUnknownColors,
    count_pixels,
    summarize_label_maps,
)
from boxmask.data.segmentation.pairs import EXPECTED_LAYOUT, Pair, find_pairs, scene_folder
from boxmask.data.split import draw_missing_splits
from boxmask.data.split_file import apply_split_file
from boxmask.errors import LabelError
from boxmask.file_kinds import is_folder
from boxmask.messages import format_count, format_errors, format_note
from boxmask.options import option

MAX_FOLDERS_SHOWN = 6
_OTHER_FILES = (*CLASSES_FILE_NAMES, "split.json")  # read, but no photos or label maps


def read_segmentation(
    path: str | Path,
    *,
    split_seed: int = 0,
    split_file: str | Path | None = None,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
) -> SegmentationDataset:
    """Read photos with a class for every pixel, sorted by name.

    Splits are those of `split_file`, else the data set's own; missing ones are drawn with `split_seed`. The
    data set's `notes` tell what was left out or changed. Raises LabelError and PhotoError as
    `read_unsplit_segmentation` does.
    """
    unsplit = read_unsplit_segmentation(
        path,
        classes_file=classes_file,
        on_unknown_colors=on_unknown_colors,
        on_bad_boxes=on_bad_boxes,
        on_bad_photos=on_bad_photos,
    )
    if split_file:
        return apply_split_file(unsplit, split_file, on_bad_photos)
    dataset = draw_missing_splits(unsplit, split_seed)
    return replace(dataset, notes=dataset.notes + _note_on_mixed_folders(unsplit))


def read_unsplit_segmentation(
    path: str | Path,
    *,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    select: SelectPhotos = select_all,
) -> SegmentationDataset:
    """Read photos with a class for every pixel; `splits` is "" where the data set names no split.

    Masks come before label maps, unless a classes file is given. Label maps come before boxes without
    masks, as in Pascal VOC.

    classes_file:      the classes of the label maps (see `classes_file.py`). Default: the data set's.
    on_unknown_colors: what to do with colors that the classes file does not name
    on_bad_boxes:      see `read_detection`
    on_bad_photos:     what to do with photos and label maps that cannot be read
    select:            chooses the photos to return; others need not be intact

    Raises LabelError and PhotoError as `read_unsplit_detection` and `read_unsplit_label_maps` do.
    """
    path = Path(path)
    if classes_file is not None or not has_detection_labels(path):
        return read_unsplit_label_maps(path, classes_file, on_unknown_colors, on_bad_photos, select)
    objects = read_unsplit_detection(path, on_bad_boxes, on_bad_photos, select=select)
    if objects.has_mask.any():
        return segmentation_from_detection(objects)
    if has_label_maps(path):
        return read_unsplit_label_maps(path, classes_file, on_unknown_colors, on_bad_photos, select)
    raise LabelError(
        f"{path}: its objects have boxes but no masks, which segmentation needs. Give a data set with masks "
        "(COCO's segmentation), or with label maps beside its photos."
    )


# ---------------------------------------------------------------- label maps


def has_label_maps(path: Path) -> bool:
    """Whether a folder holds photos with label maps. Raises LabelError if they do not match one to one."""
    return is_folder(path) and bool(find_pairs(find_source(path))[0])


def read_unsplit_label_maps(
    path: str | Path,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    on_bad_photos: OnBadPhotos = "error",
    select: SelectPhotos = select_all,
) -> SegmentationDataset:
    """Read a folder of photos with label maps (see `pairs.py` for the folders they may lie in).

    Raises LabelError for label maps that are missing, unreadable, of another size than their photo, or with
    unknown colors. Without a classes file, the error offers one to fill in. Raises PhotoError for photos that
    cannot be read.
    """
    source, pairs, notes = _find_pairs(Path(path), on_bad_photos)
    splits, split_notes = _splits(source, pairs)
    photos, maps = [pair.photo for pair in pairs], [pair.label_map for pair in pairs]
    chosen = select(PhotoList.of(source.root, photos, splits.tolist()))
    sizes, bad_photos = check_photos(source.root, photos, on_bad_photos, set(chosen.files.tolist()))
    classes = _read_classes(source.root, maps, classes_file)
    by_index, bad_maps = summarize_label_maps(source.root, maps, classes.by_color)
    bad_maps = {index: error for index, error in bad_maps.items() if photos[index] in chosen.files}
    notes += classes.notes + note_on_bad_photos(bad_photos)
    notes += _note_on_bad_maps(bad_maps, bad_photos, len(chosen), on_bad_photos)
    chosen = chosen.without([photos[index] for index in (*bad_photos, *bad_maps)], ())
    good = [i for i in by_index if i not in bad_photos and tuple(sizes[i].tolist()) != UNREADABLE]
    photos, files = [photos[i] for i in good], [maps[i] for i in good]
    summaries, sizes, splits = [by_index[i] for i in good], sizes[good], splits[good]
    notes += check_sizes(photos, files, summaries, sizes)
    notes += check_values(summaries, files, classes, on_unknown_colors)
    pixel_counts = count_pixels(summaries, sizes, classes)
    dataset = SegmentationDataset(
        root=source.root,
        class_names=classes.names,
        files=np.array(photos),
        sizes=sizes,
        splits=splits,
        pixel_counts=pixel_counts,
        source=LabelMapsFromFiles.from_summaries(
            source.root, files, classes, on_unknown_colors, sizes, summaries
        ),
        notes=notes + split_notes + notes_on_classes(pixel_counts, files, classes),
    )
    return chosen.select_from(dataset)


def _find_pairs(path: Path, on_bad_photos: OnBadPhotos) -> tuple[Source, list[Pair], tuple[str, ...]]:
    source = find_source(path)
    pairs, notes = find_pairs(source, on_bad_photos)
    if not pairs:
        found = source.describe_contents()
        raise LabelError(f"{path}: no label maps found. Looked for {EXPECTED_LAYOUT}; found {found}.")
    used = {file for pair in pairs for file in (pair.photo, pair.label_map)}
    used |= {file for file in source.files if is_split_list(file) or file.lower() in _OTHER_FILES}
    return source, pairs, notes + source.notes + notes_on_unread_files(source, used)


def _read_classes(root: Path, files: list[str], classes_file: str | Path | None) -> LabelMapClasses:
    """The classes of `classes_file`, else of the file in `root`. Raises LabelError if there is none."""
    path = Path(classes_file) if classes_file else find_classes_file(root)
    if path is not None:
        return read_classes_file(path)
    by_color = any(read_mode(root / file).startswith(("P", "RGB", "LA")) for file in files)
    summaries, errors = summarize_label_maps(root, files, by_color)
    if not summaries:
        raise LabelError(_bad_maps_message(errors))
    readable = [files[index] for index in summaries]
    raise LabelError(missing_classes_file_message(root, list(summaries.values()), readable, by_color))


def _note_on_bad_maps(
    errors: Mapping[int, str], bad_photos: Mapping[int, str], total: int, on_bad_photos: OnBadPhotos
) -> tuple[str, ...]:
    """A note on label maps that cannot be read. Raises LabelError unless they are left out."""
    if errors and (on_bad_photos == "error" or len(errors.keys() | bad_photos.keys()) == total):
        raise LabelError(_bad_maps_message(errors))
    count = format_count(len(errors), "photo")
    return format_note(f"left out: {count} whose label map cannot be read", list(errors.values()))


def _bad_maps_message(errors: Mapping[int, str]) -> str:
    leave_out = f"leave them out with their photos with {option('on_bad_photos', 'skip')}"
    remedy = f"Export them again, or {leave_out}."
    return format_errors("Label maps that cannot be read", list(errors.values()), remedy)


def _splits(source: Source, pairs: list[Pair]) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """From VOC's lists for segmentation, else from folder names; and notes on the lists."""
    listed = match_lists(read_splits(source, "Segmentation"), [pair.photo for pair in pairs])
    of_photo = {photo: entry.split for photo, entry in listed.entries.items()}
    splits = [of_photo.get(pair.photo, "") if of_photo else pair.split for pair in pairs]
    return np.array(splits, dtype="<U5"), listed.notes


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
        "give a split file that keeps every folder in one split",
    )
