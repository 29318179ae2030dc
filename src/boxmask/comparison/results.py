"""What a model found, kept on disk and read photo by photo.

Detections are arrays in one safetensors file; label maps are one PNG file per photo. `found.json` is written
last: with it, the results are complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from boxmask.errors import OutputError
from boxmask.masks import Masks
from boxmask.outputs import write_output
from boxmask.types import Detections, SegmentationMap

FOUND, ARRAYS = "found.json", "detections.safetensors"


@dataclass(frozen=True)
class Found:
    """What is known of a model besides its results.

    model:      the name of the method
    kind:       "detections" or "label maps"
    class_names: of the model
    source:     size and modification time of the file of the weights
    photos:     a digest of the photos' paths
    parameters, operations: see `ComparedModel`
    """

    model: str
    kind: str
    class_names: tuple[str, ...]
    source: tuple[int, int]
    photos: str
    parameters: int | None
    operations: int | None


def stamp(path: Path) -> tuple[int, int]:
    """Size and modification time of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def digest_of_photos(photos: Sequence[Path]) -> str:
    """A digest of the paths of photos."""
    return hashlib.sha256("\n".join(str(photo) for photo in photos).encode()).hexdigest()[:16]


def write_found(folder: Path, found: Found) -> None:
    """Mark the results in a folder as complete."""
    with write_output(folder / FOUND) as partial:
        partial.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")


def read_found(folder: Path) -> Found | None:
    """The mark of complete results; None if there is none that can be read."""
    try:
        content: dict[str, Any] = json.loads((folder / FOUND).read_text(encoding="utf-8"))
        names, source = tuple(content.pop("class_names")), tuple(content.pop("source"))
        return Found(class_names=names, source=(int(source[0]), int(source[1])), **content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def has_results(weights: Path, photos: Sequence[Path], folder: Path) -> bool:
    """Whether the results of these weights on these photos are complete."""
    found = read_found(folder)
    if found is None or found.photos != digest_of_photos(photos):
        return False
    return not weights.is_file() or found.source == stamp(weights)


def open_results(
    folder: Path, found: Found, photos: Sequence[Path]
) -> Sequence[Detections] | Sequence[SegmentationMap]:
    """The results in a folder. Raises OutputError if a file is missing or damaged."""
    if found.kind == "detections":
        return StoredDetections(folder / ARRAYS, found.class_names, photos)
    return StoredLabelMaps(folder, found.class_names, photos)


def _damaged(path: Path, error: Exception) -> OutputError:
    return OutputError(
        f"{path}: this file is missing or damaged ({error}). Remove its folder, and give the same command "
        "again."
    )


# ---------------------------------------------------------------- detections


def save_detections(path: Path, detections: Sequence[Detections]) -> None:
    """Write the detections of all photos into one file, exactly."""
    arrays = {
        "boxes": np.concatenate([each.boxes for each in detections]),
        "scores": np.concatenate([each.scores for each in detections]),
        "labels": np.concatenate([each.labels for each in detections]),
        "offsets": _offsets([len(each) for each in detections]),
        "sizes": np.array([each.size for each in detections], dtype=np.int64),
    }
    masks = [each.masks for each in detections if each.masks is not None]
    if len(masks) == len(detections):
        packed = [np.packbits(each.bits) for each in masks]
        arrays["windows"] = np.concatenate([each.windows for each in masks])
        arrays["mask_bits"] = np.concatenate(packed)
        arrays["mask_offsets"] = _offsets([len(each) for each in packed])
    with write_output(path) as partial:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial)


def _offsets(lengths: Iterable[int]) -> Any:
    return np.concatenate([[0], np.cumsum(list(lengths), dtype=np.int64)]).astype(np.int64)


class StoredDetections(Sequence[Detections]):
    """The detections of P photos in a file of `save_detections`. Masks are read when they are asked for."""

    def __init__(self, path: Path, class_names: tuple[str, ...], photos: Sequence[Path]) -> None:
        """Open the file. Raises OutputError if it is missing or damaged."""
        self._class_names, self._photos = class_names, tuple(photos)
        try:
            file: Any = safe_open(path, framework="numpy")  # without types
            names = ("boxes", "scores", "labels", "offsets", "sizes")
            self._boxes, self._scores, self._labels, self._offsets, self._sizes = (
                file.get_tensor(name) for name in names
            )
            self._file, self._has_masks = file, "windows" in file.keys()  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise _damaged(path, error) from error

    def __len__(self) -> int:
        return len(self._photos)

    @overload
    def __getitem__(self, photo: int) -> Detections: ...

    @overload
    def __getitem__(self, photo: slice) -> Sequence[Detections]: ...

    def __getitem__(self, photo: int | slice) -> Detections | Sequence[Detections]:
        """The detections of one photo, or of several."""
        if isinstance(photo, slice):
            return [self[index] for index in range(len(self))[photo]]
        photo = range(len(self))[photo]
        rows = slice(int(self._offsets[photo]), int(self._offsets[photo + 1]))
        size = (int(self._sizes[photo, 0]), int(self._sizes[photo, 1]))
        masks = self._masks(photo, rows, size) if self._has_masks else None
        arrays = (self._boxes[rows], self._scores[rows], self._labels[rows])
        return Detections(*arrays, self._class_names, size, masks, self._photos[photo])

    def _masks(self, photo: int, rows: slice, size: tuple[int, int]) -> Masks:
        windows = self._part("windows", rows)
        begin, end = self._file.get_slice("mask_offsets")[photo : photo + 2].tolist()
        count = int(np.prod(windows[:, 2:] - windows[:, :2], axis=1).sum())
        bits = np.unpackbits(self._part("mask_bits", slice(begin, end)), count=count)
        return Masks(size, windows, bits.astype(np.bool_))

    def _part(self, name: str, rows: slice) -> Any:
        """Rows of an array. An array without rows is read as a whole: it cannot be sliced."""
        array = self._file.get_slice(name)
        return array[rows] if array.get_shape()[0] else self._file.get_tensor(name)


# ---------------------------------------------------------------- label maps


def label_map_file(folder: Path, photo: int) -> Path:
    """The file of the label map of a photo."""
    return folder / f"{photo:06d}.png"


def save_label_map(folder: Path, photo: int, label_map: SegmentationMap) -> None:
    """Write the label map of one photo."""
    with write_output(label_map_file(folder, photo)) as partial:
        Image.fromarray(label_map.labels).save(partial, format="PNG")


class StoredLabelMaps(Sequence[SegmentationMap]):
    """The label maps of P photos in a folder, each read when it is asked for."""

    def __init__(self, folder: Path, class_names: tuple[str, ...], photos: Sequence[Path]) -> None:
        self._folder, self._class_names, self._photos = folder, class_names, tuple(photos)

    def __len__(self) -> int:
        return len(self._photos)

    @overload
    def __getitem__(self, photo: int) -> SegmentationMap: ...

    @overload
    def __getitem__(self, photo: slice) -> Sequence[SegmentationMap]: ...

    def __getitem__(self, photo: int | slice) -> SegmentationMap | Sequence[SegmentationMap]:
        """The label map of one photo, or of several. Raises OutputError if a file is missing or damaged."""
        if isinstance(photo, slice):
            return [self[index] for index in range(len(self))[photo]]
        photo = range(len(self))[photo]
        path = label_map_file(self._folder, photo)
        try:
            with Image.open(path) as image:
                labels = np.asarray(image, dtype=np.uint8).copy()
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from error
        return SegmentationMap(labels, self._class_names, self._photos[photo])
