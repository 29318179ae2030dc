"""Writers of results: odd names, sizes and numbers, read back where there is a reader.

The input is a description, from which valid results are built: what is not in it gets a default.
"""

from __future__ import annotations

import csv
import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from boxmask.data.segmentation.classes_file import read_classes_file
from boxmask.data.segmentation.label_map_file import read_label_map
from boxmask.errors import BoxmaskError
from boxmask.masks import Masks
from boxmask.outputs.manifest import Manifest
from boxmask.outputs.marks import is_marked
from boxmask.prediction.predict import predict_photos
from boxmask.results.coco import save_coco
from boxmask.results.label_maps import save_classes_file, save_instance_map, save_label_map
from boxmask.results.labelme import save_labelme
from boxmask.results.table import detection_rows, save_table, share_rows
from boxmask.tasks.classification.writer import ClassificationWriter
from boxmask.tasks.detection.writer import DetectionWriter
from boxmask.tasks.segmentation.writer import SegmentationWriter
from boxmask.types import Classification, Detections, SegmentationMap
from boxmask.visualization.detections import draw_comparison, draw_detections
from boxmask.visualization.segmentation import draw_label_map

MAX_SIDE = 200


@dataclass(frozen=True)
class Description:
    """A photo with what was found in it. `objects` have x1, y1, x2, y2, score, class."""

    photo: str
    size: tuple[int, int]
    class_names: tuple[str, ...]
    objects: list[list[float]]
    has_masks: bool

    def pixels(self) -> Any:
        return np.full((*self.size, 3), 128, np.uint8)

    def detections(self) -> Detections:
        height, width = self.size
        rows = sorted(self.objects, key=lambda row: -row[4])
        boxes = torch.tensor([row[:4] for row in rows]).reshape(-1, 4).clamp(min=0)
        boxes = torch.minimum(boxes, torch.tensor([width, height, width, height]))
        boxes = torch.cat(
            [torch.minimum(boxes[:, :2], boxes[:, 2:]), torch.maximum(boxes[:, :2], boxes[:, 2:])], 1
        )
        labels = torch.tensor([int(row[5]) % len(self.class_names) for row in rows], dtype=torch.int64)
        masks = None
        if self.has_masks:
            dense = np.zeros((len(rows), height, width), bool)
            for index, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
                dense[index, y1:y2, x1:x2] = True
            masks = Masks.from_dense(dense)
        scores = torch.tensor([row[4] for row in rows]).reshape(-1)
        return Detections(boxes, scores, labels, self.class_names, self.size, masks)

    def label_map(self) -> SegmentationMap:
        labels = np.add.outer(np.arange(self.size[0]), np.arange(self.size[1])) % min(
            255, len(self.class_names)
        )
        return SegmentationMap(torch.from_numpy(labels.astype(np.uint8)), self.class_names[:255])

    def classification(self) -> Classification:
        return Classification(
            torch.full((len(self.class_names),), 1 / len(self.class_names)), self.class_names
        )


def describe(folder: Path) -> Description:
    """The description in result.json, with defaults in the place of what makes no sense."""
    try:
        content: Any = json.loads((folder / "result.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        content = {}
    content = content if isinstance(content, dict) else {}
    names = content.get("class_names")
    names = [str(name) for name in names][:300] if isinstance(names, list) and names else ["cat"]
    size = content.get("size")
    size = size if isinstance(size, list) and len(size) == 2 else [12, 16]
    objects = content.get("objects")
    rows = [row for row in objects if isinstance(row, list)] if isinstance(objects, list) else []
    return Description(
        str(content.get("photo") or "a.png"),
        (max(1, int(_number(size[0], MAX_SIDE))), max(1, int(_number(size[1], MAX_SIDE)))),
        tuple(dict.fromkeys(names)),
        [_object(row) for row in rows][:400],
        bool(content.get("has_masks")),
    )


def _object(row: list[Any]) -> list[float]:
    numbers = [_number(value, 500.0) for value in row[:6]] + [0.0] * (6 - len(row[:6]))
    numbers[4] = min(1.0, abs(numbers[4]))
    return numbers


def _number(value: object, limit: float) -> float:
    """A finite number of at most `limit`; 0 for anything else."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return max(-limit, min(limit, number)) if math.isfinite(number) else 0.0


# ---------------------------------------------------------------- files


def coco(folder: Path) -> None:
    result = describe(folder)
    save_coco([result.photo], [result.detections()], folder / "out" / "detections.json")
    written = json.loads((folder / "out" / "detections.json").read_text(encoding="utf-8"))
    assert [category["name"] for category in written["categories"]] == list(result.class_names)
    assert len(written["annotations"]) == len(result.detections())


def labelme(folder: Path) -> None:
    result = describe(folder)
    save_labelme(folder / result.photo, result.detections(), folder / "out" / "a.json")
    written = json.loads((folder / "out" / "a.json").read_text(encoding="utf-8"))
    assert [shape["label"] for shape in written["shapes"]] == result.detections().names


def instance_map(folder: Path) -> None:
    save_instance_map(describe(folder).detections(), folder / "out" / "a.png")
    with Image.open(folder / "out" / "a.png") as image:
        assert image.size[::-1] == describe(folder).size


def label_map(folder: Path) -> None:
    """The classes file and the label map are read back as they were written."""
    result = describe(folder).label_map()
    save_label_map(result, folder / "out" / "a.png")
    save_classes_file(result.class_names, folder / "out" / "classes.txt")
    classes = read_classes_file(folder / "out" / "classes.txt")
    names = [unicodedata.normalize("NFC", name) for name in result.class_names]
    assert classes.names == tuple(dict.fromkeys(names))
    runs = read_label_map(folder / "out" / "a.png", classes.by_color)
    labels = np.array([classes.labels[value] for value in runs.values.tolist()], np.uint8)
    assert np.array_equal(runs.to_labels(labels), result.labels)


def table(folder: Path) -> None:
    """A table of detections is read back by Python's reader as it was written."""
    result = describe(folder)
    save_table(share_rows(result.label_map()), folder / "out" / "shares.csv")
    save_table(detection_rows(result.detections()), folder / "out" / "a.csv")
    with (folder / "out" / "a.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    # Half a character, as in a name that is not UTF-8, is written as an escape.
    names = [name.encode("utf-8", "backslashreplace").decode() for name in result.detections().names]
    assert [row[0] for row in rows[1:]] == names


# ---------------------------------------------------------------- pictures, and folders of results


def drawing(folder: Path) -> None:
    """Pictures of any size, with names in any script."""
    result = describe(folder)
    detections = result.detections()
    assert draw_detections(result.pixels(), detections, min_score=0.0).shape == (*result.size, 3)
    draw_comparison(result.pixels(), detections, detections)
    assert draw_label_map(result.pixels(), result.label_map()).shape[1] >= result.size[1]


class _Model:
    """A model that finds what the description says."""

    def __init__(self, result: object) -> None:
        self.result = result

    def predict(self, photos: object, /) -> Any:
        return self.result


def prediction(folder: Path) -> None:
    """Predict a photo with an odd name, for all tasks, and resume. What cannot be written is an error."""
    result = describe(folder)
    photo = folder / "photos" / result.photo
    try:
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(result.pixels()).save(photo, "PNG")
    except (OSError, ValueError):  # no disk can hold a photo of this name
        return
    detections = result.detections()
    out = folder / "out"
    label_maps = ["label-maps"] if detections.masks is not None else []
    formats, names = ("jpg", "png", "coco", "labelme", "crops", *label_maps), result.class_names
    writers: tuple[tuple[Any, Callable[[], Any]], ...] = (
        (
            detections,
            lambda: DetectionWriter(out / "1", formats, 0.0, masks=result.has_masks, class_names=names),
        ),
        (result.label_map(), lambda: SegmentationWriter(out / "2", None, names[:255])),
        (result.classification(), lambda: ClassificationWriter(out / "3", None, names)),
    )
    errors = []
    for found, writer in writers:
        try:
            first = predict_photos(_Model(found), [photo], writer().out, writer())
            again = predict_photos(_Model(found), [photo], writer().out, writer(), resume=True)
            assert (again.photos, again.results, again.files) == (first.photos, first.results, first.files)
        except BoxmaskError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def own_outputs(folder: Path) -> None:
    """Damaged manifests and marks: the files in question count as the user's."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        is_marked(path)
        manifest = Manifest(folder)
        manifest.knows(path.name)
        manifest.has(path)
        manifest.files_of_jobs()
    manifest = Manifest(folder)
    manifest.begin_job(["new.json"])
    (folder / "new").write_bytes(b"1")
    manifest.add("new.json", folder / "new")
    assert manifest.knows("new.json")


RESULT_TARGETS: dict[str, Callable[[Path], None]] = {
    "write-coco": coco,
    "write-labelme": labelme,
    "write-instance-map": instance_map,
    "write-label-map": label_map,
    "write-table": table,
    "drawing": drawing,
    "prediction": prediction,
    "own-outputs": own_outputs,
}
