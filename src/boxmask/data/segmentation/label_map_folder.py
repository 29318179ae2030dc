"""Read a folder of photos with label maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.archives import unpacked
from boxmask.data.formats.source import Source, find_source, notes_on_unread_files
from boxmask.data.formats.voc.splits import is_split_list, match_lists, read_splits
from boxmask.data.photo_checks import UNREADABLE, OnBadPhotos, check_photos, note_on_bad_photos
from boxmask.data.photo_list import PhotoList, SelectPhotos, select_all
from boxmask.data.segmentation.classes_file import (
    CLASSES_FILE_NAMES,
    LabelMapClasses,
    find_classes_file,
    read_classes_file,
)
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.label_map_checks import check_sizes, check_values, notes_on_classes
from boxmask.data.segmentation.label_map_file import read_mode
from boxmask.data.segmentation.label_map_values import missing_classes_file_message
from boxmask.data.segmentation.label_maps import (
    LabelMapsFromFiles,
    LabelMapSummary,
    OnUnknownColors,
    count_pixels,
    summarize_label_maps,
)
from boxmask.data.segmentation.pairs import EXPECTED_LAYOUT, Pair, find_pairs
from boxmask.errors import LabelError
from boxmask.file_kinds import is_folder
from boxmask.messages import format_count, format_errors, format_note
from boxmask.options import option

_OTHER_FILES = (*CLASSES_FILE_NAMES, "split.json")  # read, but no photos or label maps


def has_label_maps(path: Path) -> bool:
    """Whether a folder holds photos with label maps. Raises LabelError if they do not match one to one."""
    return is_folder(unpacked(path)) and bool(find_pairs(find_source(path))[0])


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
    chosen = select(PhotoList.of(source.root, [pair.photo for pair in pairs], splits.tolist()))
    classes = _read_classes(source.root, [pair.label_map for pair in pairs], classes_file)
    readable, chosen = _read_pairs(source.root, pairs, chosen, classes, on_bad_photos)
    photos = [pairs[index].photo for index in readable.indices]
    files = [pairs[index].label_map for index in readable.indices]
    sizes, summaries = readable.sizes, readable.summaries
    notes += classes.notes + check_sizes(photos, files, summaries, sizes)
    notes += check_values(summaries, files, classes, on_unknown_colors)
    pixel_counts = count_pixels(summaries, sizes, classes)
    dataset = SegmentationDataset(
        root=source.root,
        class_names=classes.names,
        files=np.array(photos),
        sizes=sizes,
        splits=splits[readable.indices],
        pixel_counts=pixel_counts,
        source=LabelMapsFromFiles.from_summaries(
            source.root, files, classes, on_unknown_colors, sizes, summaries
        ),
        notes=notes + split_notes + notes_on_classes(pixel_counts, files, classes),
    )
    return chosen.select_from(dataset)


@dataclass(frozen=True)
class _ReadablePairs:
    """The pairs whose photo and label map can be read: their indices, photo sizes and label map summaries."""

    indices: list[int]
    sizes: NDArray[np.int32]
    summaries: list[LabelMapSummary]


def _read_pairs(
    root: Path, pairs: list[Pair], chosen: PhotoList, classes: LabelMapClasses, on_bad_photos: OnBadPhotos
) -> tuple[_ReadablePairs, PhotoList]:
    """The readable pairs, and the chosen photos among them, with notes on the others.

    Raises PhotoError and LabelError for chosen photos and label maps that cannot be read, unless they are
    left out.
    """
    photos = [pair.photo for pair in pairs]
    wanted = set(chosen.files.tolist())
    sizes, bad_photos = check_photos(root, photos, on_bad_photos, wanted)
    summaries, errors = summarize_label_maps(root, [pair.label_map for pair in pairs], classes.by_color)
    bad_maps = {index: error for index, error in errors.items() if photos[index] in wanted}
    notes = note_on_bad_photos(bad_photos)
    notes += _note_on_bad_maps(bad_maps, bad_photos, len(wanted), on_bad_photos)
    chosen = chosen.without([photos[index] for index in (*bad_photos, *bad_maps)], notes)
    has_size = (sizes != UNREADABLE).any(axis=1)
    readable = [index for index in summaries if has_size[index] and index not in bad_photos]
    return _ReadablePairs(readable, sizes[readable], [summaries[index] for index in readable]), chosen


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
