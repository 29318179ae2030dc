"""A set of photos of which every pixel has a class, as an index; labels are decoded when asked.

Worker processes share file names and counts, nothing else. Where the labels come from is the `source`:
label images (`read_label_map_dataset`) or the outlines of a detection set (`boxmask.data.segmentation.from_masks`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar, Protocol

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.data.contract import SPLITS
from boxmask.data.formats.labels import LabeledPhoto
from boxmask.data.formats.source import Source, look_at
from boxmask.data.formats.voc_splits import read_splits
from boxmask.data.messages import format_note
from boxmask.data.photo_sizes import read_sizes
from boxmask.data.segmentation.class_file import ClassFile, find_class_file, read_class_file
from boxmask.data.segmentation.label_maps import (
    LabelMapFiles,
    OnUnknownColors,
    ask_for_classes,
    note_on_unknown,
    pixels_of_classes,
    require_sizes,
    survey,
)
from boxmask.data.segmentation.pairs import LOOKED_FOR, Pair, find_pairs, folder_of
from boxmask.data.split import apply_split_file, draw_missing_splits
from boxmask.errors import LabelError
from boxmask.types import SegmentationTarget


class LabelMapSource(Protocol):
    """Where the labels of P photos come from."""

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel of photo number `photo`, 0..K-1 or IGNORED."""

    def subset(self, photos: NDArray[np.int64]) -> LabelMapSource:
        """Those of the given photos."""

    def fingerprint(self) -> bytes:
        """Changes with any label."""


@dataclass(frozen=True)
class SegmentationDataset:
    """P photos, each pixel of which has one of K classes or none.

    root:        the folder that `files` are relative to
    class_names: the K names; labels count them from 0
    files:       (P,) str, photo paths relative to `root`, "/" between folders
    sizes:       (P, 2) int32, (height, width) as the photo is shown
    splits:      (P,) str, "train", "val" or "test"
    pixels:      (P, K) int64, how many pixels of each class a photo has
    source:      gives the labels
    notes:       what was noticed while reading and did not stop it
    """

    UNIT: ClassVar[str] = "pixels"  # what `counts` counts

    root: Path
    class_names: tuple[str, ...]
    files: NDArray[np.str_]
    sizes: NDArray[np.int32]
    splits: NDArray[np.str_]
    pixels: NDArray[np.int64]
    source: LabelMapSource
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def counts(self) -> NDArray[np.int64]:
        """(P, K) how much of each class each photo shows."""
        return self.pixels

    def path(self, photo: int) -> Path:
        """Where photo number `photo` lies."""
        return self.root / str(self.files[photo])

    def target(self, photo: int) -> SegmentationTarget:
        """What the labels say of photo number `photo`. Raises LabelError where it cannot be read any more."""
        labels = self.source.labels(photo)
        size = tuple(self.sizes[photo].tolist())
        if labels.shape != size:
            found = f"labels of {labels.shape[1]} × {labels.shape[0]} for a photo of {size[1]} × {size[0]}"
            raise LabelError(f"{self.path(photo)}: {found}. The set has changed since; read it anew.")
        return SegmentationTarget(torch.from_numpy(labels))

    def subset(self, photos: NDArray[np.int64]) -> SegmentationDataset:
        """Only the given photos, in the given order; classes are kept."""
        return replace(
            self,
            files=self.files[photos],
            sizes=self.sizes[photos],
            splits=self.splits[photos],
            pixels=self.pixels[photos],
            source=self.source.subset(photos),
        )

    def split(self, name: str) -> SegmentationDataset:
        """The photos of one split, "train", "val" or "test"."""
        return self.subset(np.flatnonzero(self.splits == name))

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with class names, files, sizes, labels or splits.

        The same on every machine, wherever the folder lies.
        """
        digest = hashlib.sha256()
        for texts in (self.class_names, self.files.tolist(), self.splits.tolist()):
            digest.update(json.dumps(list(texts)).encode())
        for integers in (self.sizes, self.pixels):
            digest.update(integers.astype("<i8").tobytes())
        digest.update(self.source.fingerprint())
        return digest.hexdigest()[:16]


# ---------------------------------------------------------------- reading


def read_label_map_dataset(
    path: str | Path,
    *,
    split_seed: int = 0,
    split_file: str | Path | None = None,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
) -> SegmentationDataset:
    """Read a folder of photos with label images (see `formats/pixel_pairs.py` for where they may lie).

    Classes are those of `classes_file`, else of the one in the folder (see `formats/pixel_classes.py`).
    The photos come sorted by name. Their splits are those of `split_file`, else the set's own, completed by a
    draw with `split_seed` where something is missing. What was noticed on the way is in the set's `notes`.
    Raises LabelError for label images that cannot be read, do not fit their photos or have colors that the
    classes file does not name (these are taken as not labeled with `on_unknown_colors="skip"`), and where
    there is no classes file, with one to fill in; PhotoError for photos that cannot be read.
    """
    unsplit = read_unsplit_label_maps(path, classes_file, on_unknown_colors)
    return apply_split_file(unsplit, split_file) if split_file else with_drawn_splits(unsplit, split_seed)


def read_unsplit_label_maps(
    path: str | Path,
    classes_file: str | Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
) -> SegmentationDataset:
    """The same, with only the splits that the set itself speaks of; the others are ""."""
    source, pairs, notes = _pairs(Path(path))
    photos, files = [pair.photo for pair in pairs], [pair.label for pair in pairs]
    sizes = read_sizes(source.root, [LabeledPhoto(pair.photo, pair.label) for pair in pairs])
    modes = require_sizes(source.root, photos, files, sizes)
    chosen = Path(classes_file) if classes_file else find_class_file(source.root)
    if chosen is None:
        by_color = any(mode.startswith(("P", "RGB", "LA")) for mode in modes)
        found = survey(source.root, files, by_color)
        raise LabelError(ask_for_classes(source.root, found, files, by_color))
    classes = read_class_file(chosen)
    surveys = survey(source.root, files, classes.by_color)
    notes += note_on_unknown(surveys, files, classes, on_unknown_colors)
    pixels = pixels_of_classes(surveys, classes)
    checks = np.array([one.check for one in surveys], dtype=np.uint32)
    return SegmentationDataset(
        root=source.root,
        class_names=classes.names,
        files=np.array(photos),
        sizes=sizes,
        splits=_own_splits(source, pairs),
        pixels=pixels,
        source=LabelMapFiles(source.root, np.array(files), classes, on_unknown_colors, checks),
        notes=notes + _notes_on_absent(pixels, classes),
    )


def _pairs(path: Path) -> tuple[Source, list[Pair], tuple[str, ...]]:
    source = look_at(path)
    pairs, notes = find_pairs(source)
    if not pairs:
        raise LabelError(
            f"{path}: no label images found. Looked for {LOOKED_FOR}; found {source.contents()}."
        )
    return source, pairs, notes


def has_label_maps(path: Path) -> bool:
    """Whether photos with label images lie at `path`. Raises LabelError where they do not pair."""
    return path.is_dir() and bool(find_pairs(look_at(path))[0])


def _own_splits(source: Source, pairs: list[Pair]) -> NDArray[np.str_]:
    """By VOC's lists for segmentation, else by folder names."""
    listed = read_splits(source, "Segmentation")
    by_name = {name: entry.split for name, entry in listed.items()}
    stems = [PurePosixPath(pair.photo).stem for pair in pairs]
    if not by_name.keys().isdisjoint(stems):
        return np.array([by_name.get(stem, "") for stem in stems], dtype="<U5")
    return np.array([pair.split for pair in pairs], dtype="<U5")


def _notes_on_absent(pixels: NDArray[np.int64], classes: ClassFile) -> tuple[str, ...]:
    """Raises LabelError where no pixel has a class."""
    total = pixels.sum(axis=0)
    if not total.any():
        raise LabelError(f"{classes.file}: no pixel of any label image has a class of this file.")
    absent = [name for name, count in zip(classes.names, total.tolist(), strict=True) if not count]
    return format_note(f"classes of {classes.file} that no label image shows", absent)


def with_drawn_splits(dataset: SegmentationDataset, seed: int = 0) -> SegmentationDataset:
    """As `draw_missing_splits`, with a note where photos that are drawn may be parts of one larger picture."""
    split = draw_missing_splits(dataset, seed)
    in_train = dataset.files[np.isin(dataset.splits, ("", "train"))].tolist()
    folders = sorted({folder_of(file) for file in in_train})
    complete = all(name in dataset.splits for name in SPLITS)
    if complete or len(folders) < 2 or len(folders) == len(in_train):
        return split
    shown = ", ".join(folders[:6]) + (", ..." if len(folders) > 6 else "")
    said = (
        f"the draw mixes the photos of {len(folders)} folders ({shown}): where those of a folder are parts "
        "of one larger picture, training sees the neighbors of what it is tested on, and the figures come "
        "out too high; write a split file then that keeps every folder in one split"
    )
    return replace(split, notes=(*split.notes, said))
