"""What the analysis of label maps holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.evaluation.failures.contract import FailureAnalysis
from boxmask.evaluation.segmentation.failures import analyze_label_maps, wrong_pixels
from boxmask.types import IGNORED, SegmentationMap

CLASSES = ("road", "grass", "sky")
ROAD, GRASS, SKY = range(3)


@dataclass(frozen=True)
class ListedLabels:
    """A source of labels from a list."""

    pictures: tuple[np.ndarray, ...]

    def labels(self, photo: int) -> np.ndarray:
        return self.pictures[photo]

    def subset(self, photos: np.ndarray) -> ListedLabels:
        return ListedLabels(tuple(self.pictures[photo] for photo in photos))

    def fingerprint(self) -> bytes:
        return b""


def dataset_of(*pictures: np.ndarray) -> SegmentationDataset:
    return SegmentationDataset(
        root=Path("fields"),
        class_names=CLASSES,
        files=np.array([f"{n}.jpg" for n in range(len(pictures))], dtype=str),
        sizes=np.array([picture.shape for picture in pictures], dtype=np.int32).reshape(-1, 2),
        splits=np.full(len(pictures), "test"),
        pixel_counts=np.array([np.bincount(picture.ravel(), minlength=256)[:3] for picture in pictures])
        .reshape(-1, 3)
        .astype(np.int64),
        source=ListedLabels(pictures),
    )


def field(label: int, *patches: tuple[int, slice, slice]) -> np.ndarray:
    """10 x 10 pixels of one class, with patches of others."""
    labels = np.full((10, 10), label, dtype=np.uint8)
    for other, rows, columns in patches:
        labels[rows, columns] = other
    return labels


TOP, LEFT, CORNER = (slice(0, 4), slice(0, 10)), (slice(0, 10), slice(0, 2)), (slice(8, 10), slice(8, 10))
DATASET = dataset_of(field(ROAD), field(GRASS), field(ROAD, (IGNORED, *TOP)), field(SKY, (ROAD, *CORNER)))
LABEL_MAPS = [
    SegmentationMap(field(ROAD, (GRASS, *LEFT), (SKY, *CORNER)), CLASSES),
    SegmentationMap(field(GRASS), CLASSES),
    SegmentationMap(field(ROAD, (GRASS, *TOP)), CLASSES),
    SegmentationMap(field(SKY), CLASSES),
]


def test_cells_name_the_photos_with_the_most_pixels() -> None:
    failures = analyze_label_maps(DATASET, iter(LABEL_MAPS), CLASSES)
    confusion = failures.confusion
    assert (confusion.unit, confusion.row_names, confusion.column_names) == ("pixels", CLASSES, CLASSES)
    assert confusion.counts.tolist() == [[136, 20, 8], [0, 100, 0], [0, 0, 96]]
    assert [(case.photo, case.pixels) for case in confusion.cell("road", "sky")] == [(0, 4), (3, 4)]
    assert [(case.photo, case.pixels) for case in confusion.cell("road", "road")] == [(0, 76), (2, 60)]


def test_the_worst_photos_are_first() -> None:
    photos = analyze_label_maps(DATASET, LABEL_MAPS, CLASSES).photos
    assert [(photo.file, photo.disagreement) for photo in photos] == [
        ("0.jpg", pytest.approx(0.24)),
        ("3.jpg", pytest.approx(0.04)),
        ("1.jpg", 0),
        ("2.jpg", 0),
    ]
    most = "24.0 % of the pixels are wrong, above all road predicted as grass (20.0 %)"
    assert photos[0].description == most
    assert photos[2].description == "labels and predictions agree"


def test_regions_where_labels_and_model_disagree() -> None:
    regions = analyze_label_maps(DATASET, LABEL_MAPS, CLASSES).regions
    assert [(region.photo, region.labeled, region.predicted, region.pixels) for region in regions] == [
        (0, "road", "grass", 20),
        (0, "road", "sky", 4),
        (3, "road", "sky", 4),
    ]
    assert regions[0].found_box == (0, 0, 2, 10)
    assert regions[2].found_box == (8, 8, 10, 10)


def test_wrong_pixels_of_one_photo() -> None:
    assert wrong_pixels(DATASET, 0, LABEL_MAPS[0]).sum() == 24
    assert not wrong_pixels(DATASET, 2, LABEL_MAPS[2]).any()


def test_classes_that_only_one_side_knows() -> None:
    """Pixels labeled as sky are left out; those predicted as water are wrong."""
    known = ("grass", "road", "water")
    label_maps = [
        SegmentationMap(field(1, (2, *LEFT)), known),
        *[SegmentationMap(field(0), known)] * 3,
    ]
    failures = analyze_label_maps(DATASET, label_maps, known)
    assert failures.confusion.row_names == ("road", "grass")
    assert failures.confusion.column_names == ("road", "grass", "other classes")
    assert failures.confusion.counts.tolist() == [[80, 64, 20], [0, 100, 0]]
    assert failures.regions[0].predicted == "grass"


def test_the_dict_is_plain() -> None:
    analysis: FailureAnalysis = analyze_label_maps(DATASET, LABEL_MAPS, CLASSES)
    document = json.loads(json.dumps(analysis.to_dict()))
    assert document["confusion"]["cells"][0]["cases"][0] == {
        "file": "0.jpg",
        "photo": 0,
        "labeled": "road",
        "predicted": "grass",
        "pixels": 20,
    }
    assert document["calibration"] is None


def test_there_is_one_map_per_photo() -> None:
    with pytest.raises(ValueError, match="zip"):
        analyze_label_maps(DATASET, LABEL_MAPS[:2], CLASSES)
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        analyze_label_maps(dataset_of(), [], CLASSES)


def test_a_map_of_another_size_is_an_error() -> None:
    row = SegmentationMap(field(ROAD)[:1], CLASSES)  # one that numpy would repeat for each row
    with pytest.raises(ValueError, match=r"0\.jpg: expected a label map of \(10, 10\), found \(1, 10\)"):
        analyze_label_maps(DATASET, [row, *LABEL_MAPS[1:]], CLASSES)
    with pytest.raises(ValueError, match="expected a label map of"):
        wrong_pixels(DATASET, 0, row)
