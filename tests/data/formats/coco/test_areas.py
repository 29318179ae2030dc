"""Areas in COCO files that contradict their boxes are computed from the masks or boxes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.findings import Findings
from boxmask.data.formats.coco.areas import AREA_WRONG
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.types import Detections

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]

BOXES = [[0, 0, 20, 20], [5, 5, 30, 20], [10, 0, 50, 40]]
TRIANGLE = [10, 0, 60, 0, 60, 40]


@pytest.fixture
def write(write_coco: Write, coco: Make, annotation: Make) -> Callable[[Sequence[Any]], Path]:
    """Write three boxes with the given areas; the last one has an outline, too."""

    def write(areas: Sequence[Any]) -> Path:
        entries = [annotation(1, 1, box, area=area) for box, area in zip(BOXES, areas, strict=True)]
        entries[2]["segmentation"] = [TRIANGLE]
        return write_coco(coco([(1, "a.jpg")], entries))

    return write


def areas_and_note(root: Path) -> tuple[list[float], str]:
    dataset = read_detection(root)
    return dataset.areas.tolist(), next((note for note in dataset.notes if note.startswith("Areas that")), "")


def test_areas_of_objects_that_fill_part_of_their_box_are_kept(write: Callable[..., Path]) -> None:
    assert areas_and_note(write([400, 60, 1000])) == ([400, 60, 1000], "")
    assert areas_and_note(write([None, 630, 2091])) == ([400, 630, 2091], "")


@pytest.mark.parametrize("area", [math.inf, -math.inf, 1e300, pytest.param(10**400, id="large"), -5, 0, 2200])
def test_an_impossible_area_is_computed_anew(write: Callable[..., Path], area: float) -> None:
    areas, note = areas_and_note(write([area, 500, area]))
    mask_area = float(read_detection(write([None] * 3)).areas[2])
    assert areas == [400, 500, mask_area]
    assert 900 < mask_area < 1100
    assert note.startswith("Areas that contradict their boxes (2):\n")
    assert "not above 0 and at most as large as the box" in note
    assert "annotations[0] (id 100)" in note
    assert "annotations[1]" not in note
    assert "annotations[2] (id 102)" in note


def test_an_area_that_fits_the_outline_is_right_even_if_the_box_is_not(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    entries = [
        annotation(1, 1, [0, 0, 5, 5], area=1000, segmentation=[TRIANGLE]),
        annotation(1, 1, [0, 0, 5, 5], area=192, segmentation={"size": [40, 60], "counts": [0, 192, 2208]}),
        annotation(1, 1, [0, 0, 5, 5], area=999, segmentation={"size": [40, 60], "counts": [0, 192, 2208]}),
        annotation(1, 1, [0, 0, 5, 5], area=999, segmentation="no outline"),
    ]
    areas, note = areas_and_note(write_coco(coco([(1, "a.jpg")], entries[:3])))
    assert sorted(areas) == [192, 192, 1000]
    assert "area 999" in note
    assert "Areas that contradict their boxes (1):" in note
    findings = Findings()
    read_labels(write_coco(coco([(1, "a.jpg")], entries)), findings)
    assert findings.count(AREA_WRONG) == 2


@pytest.mark.parametrize("area", [1, 0.5, 20, 100])
def test_the_same_area_for_boxes_of_all_sizes_is_computed_anew(
    write: Callable[..., Path], area: float
) -> None:
    areas, note = areas_and_note(write([area] * 3))
    assert areas == areas_and_note(write([None] * 3))[0]
    assert "the areas contradict the boxes of the whole file" in note
    assert note.count("annotations[") == 3


def test_fractions_of_the_photo_are_no_areas(write: Callable[..., Path]) -> None:
    areas, note = areas_and_note(write([400 / 2400, 600 / 2400, 1000 / 2400]))
    assert areas[:2] == [400, 600]
    assert note


def test_one_tiny_area_among_others_is_kept(write: Callable[..., Path]) -> None:
    assert areas_and_note(write([1, 500, 1000])) == ([1, 500, 1000], "")


def test_files_are_checked_one_by_one(write_coco: Write, coco: Make, annotation: Make) -> None:
    for split, areas in (("train", (300, 500, 900)), ("test", (1, 1, 1))):
        entries = [annotation(1, 1, box, area=area) for box, area in zip(BOXES, areas, strict=True)]
        root = write_coco(coco([(1, f"{split}.jpg")], entries), f"{split}.json")
    dataset = read_detection(root)
    assert dataset.split("train").areas.tolist() == [300, 500, 900]
    assert dataset.split("test").areas.tolist() == [400, 600, 2000]


def test_metrics_by_size_are_those_of_pycocotools_on_the_corrected_file(
    write_coco: Write, coco: Make, annotation: Make, tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    squares = generator.integers((5, 0, 0), (200, 50, 50), (60, 3)).tolist()
    entries = [
        annotation(1 + n % 6, 1, [x, y, side, side], area=1, iscrowd=0)
        for n, (side, x, y) in enumerate(squares)
    ]
    document = coco([(n, f"{n}.png") for n in range(1, 7)], entries, [(1, "cat")])
    for image in document["images"]:
        image |= {"width": 260, "height": 260}
    root = write_coco(document)
    for image in document["images"]:
        Image.new("L", (260, 260)).save(root / "images" / image["file_name"])
    dataset = read_detection(root)
    detections = [shifted(dataset, photo, generator) for photo in range(len(dataset))]
    for entry in entries:
        entry["area"] = entry["bbox"][2] * entry["bbox"][3]
    document["annotations"] = [{"id": 100 + n, **entry} for n, entry in enumerate(entries)]
    corrected = tmp_path / "corrected.json"
    corrected.write_text(json.dumps(document))
    expected = metrics_of_pycocotools(corrected, dataset, detections)
    metrics = evaluate_detections(dataset, detections).to_dict()
    assert [metrics[name] for name in ("APs", "APm", "APl")] == pytest.approx(expected, abs=1e-6)
    assert min(expected) > 0.1


def shifted(dataset: DetectionDataset, photo: int, generator: np.random.Generator) -> Detections:
    """The objects of a photo as detections, each moved by a few pixels."""
    boxes = dataset.boxes[dataset.rows(photo)]
    boxes = (boxes + np.tile(generator.uniform(-4, 4, (len(boxes), 2)), 2)).clip(0, 260).astype(np.float32)
    scores = np.sort(generator.uniform(0.1, 1, len(boxes)).astype(np.float32))[::-1].copy()
    labels = torch.zeros(len(boxes), dtype=torch.int64)
    return Detections(torch.from_numpy(boxes), torch.from_numpy(scores), labels, ("cat",), (260, 260))


def metrics_of_pycocotools(
    file: Path, dataset: DetectionDataset, detections: Sequence[Detections]
) -> list[float]:
    """APs, APm and APl."""
    truth = pytest.importorskip("pycocotools.coco").COCO(file)
    results = [
        {"image_id": image_id, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
        for image_id, found in zip(dataset.image_ids.tolist(), detections, strict=True)
        for (x1, y1, x2, y2), score in zip(found.boxes.tolist(), found.scores.tolist(), strict=True)
    ]
    evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval(truth, truth.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[3:6].tolist()
