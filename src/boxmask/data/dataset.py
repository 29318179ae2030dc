"""A set of labelled photos as an index: flat numpy arrays, so that worker processes share it uncopied.

Objects of all photos stand in one row of arrays; `offsets` says which belong to which photo. Nothing in
here opens a photo: see `boxmask.pipeline.photos`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.types import Target

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Dataset:
    """P photos with N objects of K classes.

    root:        the folder that `files` are relative to
    class_names: the K names; `labels` counts them from 0
    files:       (P,) str, photo paths relative to `root`, "/" between folders
    image_ids:   (P,) int64, the label format's own ids (COCO), else 0..P-1
    sizes:       (P, 2) int32, (height, width) as the photo is shown (EXIF orientation applied)
    splits:      (P,) str, "train", "val" or "test"
    offsets:     (P + 1,) int64; the objects of photo i are rows offsets[i]:offsets[i + 1]
    boxes:       (N, 4) float32 xyxy in pixels, inside the photo
    labels:      (N,) int64
    areas:       (N,) float32, of the object's outline where known, else of its box (COCO's size bins)
    crowd:       (N,) bool, COCO's iscrowd: a region of uncounted objects
    difficult:   (N,) bool, VOC's difficult: not counted in training and evaluation
    notes:       what was noticed while reading and did not stop it, each with file and line
    """

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
    run_offsets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.run_offsets) != len(self.boxes) + 1:
            object.__setattr__(self, "run_offsets", np.zeros(len(self.boxes) + 1, dtype=np.int64))

    @property
    def outlined(self) -> NDArray[np.bool_]:
        """(N,) bool: whose outlines are known."""
        known: NDArray[np.bool_] = np.diff(self.run_offsets) > 0
        return known

    def masks(self, photo: int) -> Masks | None:
        """The outlines of photo number `photo`; None where none of its objects has one."""
        rows = self.rows(photo)
        counts = [
            self.runs[self.run_offsets[i] : self.run_offsets[i + 1]].astype(np.int64)
            for i in range(rows.start, rows.stop)
        ]
        height, width = self.sizes[photo].tolist()
        return rle.decode(counts, (height, width)) if any(len(one) for one in counts) else None

    def __len__(self) -> int:
        return len(self.files)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(N,) bool: which objects count; crowd regions and difficult objects do not."""
        return ~(self.crowd | self.difficult)

    def path(self, photo: int) -> Path:
        """Where photo number `photo` lies."""
        return self.root / str(self.files[photo])

    def rows(self, photo: int) -> slice:
        """The rows of the object arrays that belong to photo number `photo`."""
        return slice(int(self.offsets[photo]), int(self.offsets[photo + 1]))

    def subset(self, photos: NDArray[np.int64]) -> Dataset:
        """Only the given photos, in the given order; classes are kept."""
        spans = [np.arange(self.offsets[i], self.offsets[i + 1]) for i in photos]
        rows = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum([len(span) for span in spans])]).astype(np.int64)
        lengths = np.diff(self.run_offsets)[rows]
        runs = [self.runs[self.run_offsets[i] : self.run_offsets[i + 1]] for i in rows]
        return replace(
            self,
            runs=np.concatenate([np.zeros(0, dtype=np.int32), *runs]),
            run_offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            files=self.files[photos],
            image_ids=self.image_ids[photos],
            sizes=self.sizes[photos],
            splits=self.splits[photos],
            offsets=offsets,
            boxes=self.boxes[rows],
            labels=self.labels[rows],
            areas=self.areas[rows],
            crowd=self.crowd[rows],
            difficult=self.difficult[rows],
        )

    def split(self, name: str) -> Dataset:
        """The photos of one split, "train", "val" or "test"."""
        return self.subset(np.flatnonzero(self.splits == name))

    def target(self, photo: int) -> Target:
        """What the labels say of photo number `photo`; crowd regions and difficult objects as `ignore`."""
        rows = self.rows(photo)  # not by `counted`, which looks at the objects of all photos
        return Target.of(self.boxes[rows], self.labels[rows], self.crowd[rows] | self.difficult[rows])

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with class names, files, sizes, objects or splits.

        The same on every machine (numbers are taken as little-endian), wherever the folder lies.
        """
        digest = hashlib.sha256()
        for texts in (self.class_names, self.files.tolist(), self.splits.tolist()):
            digest.update(json.dumps(list(texts)).encode())
        for integers in (self.sizes, self.offsets, self.labels, self.crowd, self.difficult):
            digest.update(integers.astype("<i8").tobytes())
        digest.update(self.boxes.astype("<f4").tobytes())
        return digest.hexdigest()[:16]
