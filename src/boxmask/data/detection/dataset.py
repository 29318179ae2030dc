"""A detection data set as an index: flat numpy arrays, which worker processes share without copies.

The objects of all photos are rows of the same arrays; `offsets` tells which belong to which photo. No photo
is opened here: see `boxmask.photos.read`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.draw import Draw
from boxmask.data.seen import Seen
from boxmask.masks import Masks
from boxmask.types import Target


@dataclass(frozen=True)
class DetectionDataset:
    """P photos with N objects of K classes.

    root:        the folder that `files` are relative to
    class_names: the K class names, in the order of the labels
    files:       (P,) str, paths of the photos relative to `root`, with "/"
    image_ids:   (P,) int64, the label format's own ids (COCO), else 0..P-1
    sizes:       (P, 2) int32, (height, width) of the photos as shown (EXIF orientation applied)
    splits:      (P,) str, "train", "val" or "test"; "" for a photo in no split
    offsets:     (P + 1,) int64; the objects of photo i are rows offsets[i]:offsets[i + 1]
    boxes:       (N, 4) float32 xyxy in pixels, inside the photo
    labels:      (N,) int64
    areas:       (N,) float32, of the object's mask if known, else of its box (for COCO's object sizes)
    crowd:       (N,) bool, COCO's iscrowd: a region of uncounted objects
    difficult:   (N,) bool, VOC's difficult: not counted in training and evaluation
    notes:       remarks from reading the labels, with file and line
    runs:        (R,) int32, the objects' masks as COCO run lengths over their photos as shown
    run_offsets: (N + 1,) int64; object n has runs[run_offsets[n]:run_offsets[n + 1]], and none if its mask is
                 unknown. Need not be given without any runs.
    draw:        how the splits were drawn; None if they were given
    seen:        where the evaluated model has seen photos in training; None if that is not known

    Raises ValueError if the masks are not those of N objects.
    """

    UNIT: ClassVar[str] = "objects"  # what `counts` counts

    root: Path
    class_names: tuple[str, ...]
    files: NDArray[np.str_]
    image_ids: NDArray[np.int64]
    sizes: NDArray[np.int32]
    splits: NDArray[np.str_]
    offsets: NDArray[np.int64]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    areas: NDArray[np.float32]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    runs: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    run_offsets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    draw: Draw | None = None
    seen: Mapping[str, Seen] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, with what was expected and what was found."""
        if not len(self.runs):
            object.__setattr__(self, "run_offsets", RleMasks.unknown(len(self.boxes)).offsets)
        expected = (len(self.boxes) + 1, len(self.runs))
        found = (len(self.run_offsets), int(self.run_offsets[-1]))
        if expected != found:
            raise ValueError(f"run_offsets: expected (length, last value) {expected}, found {found}")

    def __len__(self) -> int:
        return len(self.files)

    @cached_property  # once: each photo asks for its rows of it
    def counted(self) -> NDArray[np.bool_]:
        """(N,) bool: the objects that count; crowd regions and difficult objects do not."""
        return _read_only(~(self.crowd | self.difficult))

    @property
    def rle_masks(self) -> RleMasks:
        """The masks of all N objects."""
        return RleMasks(self.runs, self.run_offsets)

    @cached_property
    def has_mask(self) -> NDArray[np.bool_]:
        """(N,) bool: whether each object's mask is known."""
        return _read_only(self.rle_masks.known)

    def path(self, photo: int) -> Path:
        """The file of the photo with index `photo`."""
        return self.root / str(self.files[photo])

    def rows(self, photo: int) -> slice:
        """The rows of the object arrays that belong to the photo with index `photo`."""
        return slice(int(self.offsets[photo]), int(self.offsets[photo + 1]))

    def counts(self) -> NDArray[np.int64]:
        """(P, K) counted objects of each class in each photo."""
        counts = np.zeros((len(self), len(self.class_names)), dtype=np.int64)
        photo = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        np.add.at(counts, (photo[self.counted], self.labels[self.counted]), 1)
        return counts

    def subset(self, photos: NDArray[np.int64]) -> DetectionDataset:
        """The photos with the given indices, in that order. Classes stay the same."""
        spans = [np.arange(self.offsets[i], self.offsets[i + 1]) for i in photos]
        rows = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum([len(span) for span in spans])]).astype(np.int64)
        chosen = replace(
            self,
            files=self.files[photos],
            image_ids=self.image_ids[photos],
            sizes=self.sizes[photos],
            splits=self.splits[photos],
        )
        return chosen.with_objects(rows, offsets)

    def with_objects(
        self, rows: NDArray[np.int64] | NDArray[np.bool_], offsets: NDArray[np.int64]
    ) -> DetectionDataset:
        """The same photos with some of the objects, by index or boolean mask, and new `offsets`."""
        masks = self.rle_masks[rows]
        return replace(
            self,
            offsets=offsets,
            boxes=self.boxes[rows],
            labels=self.labels[rows],
            areas=self.areas[rows],
            crowd=self.crowd[rows],
            difficult=self.difficult[rows],
            runs=masks.runs,
            run_offsets=masks.offsets,
        )

    def with_seen(self, seen: Mapping[str, Seen] | None, notes: tuple[str, ...] = ()) -> DetectionDataset:
        """The same photos, of which the model has seen some, with further notes."""
        return replace(self, seen=seen, notes=self.notes + notes)

    def split(self, name: str) -> DetectionDataset:
        """The photos of one split: "train", "val" or "test"."""
        return self.subset(np.flatnonzero(self.splits == name))

    def target(self, photo: int) -> Target:
        """The labels of the photo with index `photo`; crowd regions and difficult objects as `ignore`."""
        rows = self.rows(photo)
        target = Target.of(self.boxes[rows], self.labels[rows], ~self.counted[rows])
        return replace(target, masks=self.masks(photo))

    def masks(self, photo: int) -> Masks | None:
        """The masks of the objects in the photo with index `photo`; None if the data set has no masks."""
        if not len(self.runs):
            return None
        height, width = self.sizes[photo].tolist()
        return self.rle_masks.masks(self.rows(photo), (height, width))

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with class names, files, sizes, objects, masks or splits.

        They do not depend on the machine (numbers are taken as little-endian), nor on where the folder lies.
        """
        digest = hashlib.sha256()
        for texts in (self.class_names, self.files.tolist(), self.splits.tolist()):
            digest.update(json.dumps(list(texts)).encode())
        for integers in (self.sizes, self.offsets, self.labels, self.crowd, self.difficult):
            digest.update(integers.astype("<i8").tobytes())
        digest.update(self.boxes.astype("<f4").tobytes())
        if len(self.runs):
            digest.update(self.run_offsets.astype("<i8").tobytes() + self.runs.astype("<i4").tobytes())
        return digest.hexdigest()[:16]


def _read_only(values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same array, which nobody can change by mistake: all callers share it."""
    values.flags.writeable = False
    return values
