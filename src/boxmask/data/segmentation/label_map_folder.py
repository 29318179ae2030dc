"""Read a folder of photos with label maps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.checks.similar_class_names import check_similar_names
from boxmask.data.class_names import check_class_names
from boxmask.data.findings import Findings, Location, finding_of_error
from boxmask.data.formats.kinds import LABEL_MAP_UNREADABLE
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
from boxmask.data.segmentation.label_map_checks import (
    check_classes,
    check_label_map_sizes,
    check_label_map_values,
)
from boxmask.data.segmentation.label_map_file import read_mode
from boxmask.data.segmentation.label_map_policy import LabelMapPolicy
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

_OTHER_FILES = (*CLASSES_FILE_NAMES, "split.json")  # read, but no photos or label maps


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
    findings = Findings()
    policy = LabelMapPolicy(on_unknown_colors, on_bad_photos)
    folder = find_label_maps(Path(path), findings)
    policy.decide(findings)
    chosen = select(PhotoList.of(folder.root, folder.photos, folder.splits.tolist()))
    classes = read_label_map_classes(folder, classes_file)
    wanted = set(chosen.files.tolist())
    sizes, bad_photos = check_photos(folder.root, folder.photos, on_bad_photos, wanted)
    chosen = chosen.without([folder.photos[index] for index in bad_photos], note_on_bad_photos(bad_photos))
    maps = read_label_maps(folder, sizes, bad_photos, classes, findings, wanted)
    if maps.photos:
        check_label_maps(maps, findings)
    check_similar_names(classes.names, Location(classes.file), findings)
    pixel_counts = count_pixels(maps.summaries, maps.sizes, classes)
    note_on_classes = check_classes(folder.root, pixel_counts, maps.photos, maps.files, classes, findings)
    notes = policy.decide(findings, len(wanted) - len(bad_photos)) + note_on_classes
    chosen = chosen.without(maps.unreadable, ())
    if not pixel_counts.any():
        raise LabelError(f"{classes.file}: no pixel of any label map has a class of this file.")
    dataset = _dataset(maps, pixel_counts, on_unknown_colors)
    return chosen.select_from(replace(dataset, notes=notes + folder.notes))


def _dataset(
    maps: ReadLabelMaps, pixel_counts: NDArray[np.int64], on_unknown_colors: OnUnknownColors
) -> SegmentationDataset:
    return SegmentationDataset(
        root=maps.root,
        class_names=maps.classes.names,
        files=np.array(maps.photos),
        sizes=maps.sizes,
        splits=maps.splits,
        pixel_counts=pixel_counts,
        source=LabelMapsFromFiles.from_summaries(
            maps.root, maps.files, maps.classes, on_unknown_colors, maps.sizes, maps.summaries
        ),
    )


# ---------------------------------------------------------------- pairs


@dataclass(frozen=True)
class LabelMapFolder:
    """P photos with a label map each.

    photos, files: of the photos and their label maps, relative to the root
    splits:        (P,) "train", "val", "test" or ""
    notes:         on files that are not read
    """

    root: Path
    photos: list[str]
    files: list[str]
    splits: NDArray[np.str_]
    notes: tuple[str, ...]


def find_label_maps(path: Path, findings: Findings) -> LabelMapFolder:
    """The pairs of a folder. Raises LabelError if there are none, after those that the findings hold."""
    source = find_source(path)
    pairs = find_pairs(source, findings)
    if not pairs:
        findings.raise_errors()
        raise LabelError(
            f"{path}: no label maps found. Give a folder with {EXPECTED_LAYOUT}. This one holds "
            f"{source.describe_contents()}."
        )
    used = {file for pair in pairs for file in (pair.photo, pair.label_map)}
    used |= {file for file in source.files if is_split_list(file) or file.lower() in _OTHER_FILES}
    return LabelMapFolder(
        source.root,
        [pair.photo for pair in pairs],
        [pair.label_map for pair in pairs],
        _splits(source, pairs, findings),
        source.notes + notes_on_unread_files(source, used),
    )


def _splits(source: Source, pairs: list[Pair], findings: Findings) -> NDArray[np.str_]:
    """From VOC's lists for segmentation, else from folder names."""
    names = read_splits(source, findings, "Segmentation")
    listed = match_lists(names, [pair.photo for pair in pairs], findings)
    of_photo = {photo: entry.split for photo, entry in listed.entries.items()}
    splits = [of_photo.get(pair.photo, "") if of_photo else pair.split for pair in pairs]
    return np.array(splits, dtype="<U5")


def read_label_map_classes(folder: LabelMapFolder, classes_file: str | Path | None) -> LabelMapClasses:
    """The classes of `classes_file`, else of the file in the folder. Raises LabelError if there is none."""
    path = Path(classes_file) if classes_file else find_classes_file(folder.root)
    if path is not None:
        return read_classes_file(path)
    modes = (read_mode(folder.root / file) for file in folder.files)
    by_color = any(mode.startswith(("P", "RGB", "LA")) for mode in modes)
    summaries, errors = summarize_label_maps(folder.root, folder.files, by_color)
    if not summaries:
        findings = Findings()
        report_unreadable_maps(folder, errors, findings)
        findings.raise_errors()
    readable = [folder.files[index] for index in summaries]
    raise LabelError(missing_classes_file_message(folder.root, list(summaries.values()), readable, by_color))


# ---------------------------------------------------------------- label maps


@dataclass(frozen=True)
class ReadLabelMaps:
    """The pairs whose photo and label map can be read.

    sizes:      (P, 2) heights and widths of the photos as shown
    unreadable: the photos whose label map cannot be read
    """

    root: Path
    photos: list[str]
    files: list[str]
    splits: NDArray[np.str_]
    sizes: NDArray[np.int32]
    summaries: list[LabelMapSummary]
    classes: LabelMapClasses
    unreadable: list[str]


def read_label_maps(
    folder: LabelMapFolder,
    sizes: NDArray[np.int32],
    bad_photos: Collection[int],
    classes: LabelMapClasses,
    findings: Findings,
    wanted: Collection[str] | None = None,
) -> ReadLabelMaps:
    """Read all label maps. Those of wanted photos that cannot be read are added to the findings.

    sizes: (P, 2) of the photos, `UNREADABLE` for some
    """
    summaries, errors = summarize_label_maps(folder.root, folder.files, classes.by_color)
    bad = {i: error for i, error in errors.items() if wanted is None or folder.photos[i] in wanted}
    report_unreadable_maps(folder, bad, findings)
    has_size = (sizes != UNREADABLE).any(axis=1)
    readable = [index for index in summaries if has_size[index] and index not in bad_photos]
    return ReadLabelMaps(
        folder.root,
        [folder.photos[index] for index in readable],
        [folder.files[index] for index in readable],
        folder.splits[readable],
        sizes[readable],
        [summaries[index] for index in readable],
        classes,
        [folder.photos[index] for index in bad],
    )


def check_label_maps(maps: ReadLabelMaps, findings: Findings) -> None:
    """Find wrong sizes and values."""
    check_class_names(maps.classes.spellings, findings)
    check_label_map_sizes(maps.root, maps.photos, maps.files, maps.summaries, maps.sizes, findings)
    check_label_map_values(maps.root, maps.summaries, maps.files, maps.classes, findings)


def report_unreadable_maps(
    folder: LabelMapFolder, errors: Mapping[int, LabelError], findings: Findings
) -> None:
    """Add a finding per label map that cannot be read.

    errors: by index of the label map
    """
    for index, error in errors.items():
        path = folder.root / folder.files[index]
        photo = folder.photos[index]
        findings.add(finding_of_error(LABEL_MAP_UNREADABLE, path, error, photo))
