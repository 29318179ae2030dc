"""Detections of other tools as COCO JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxmask.comparison.given_detections.read import read_given_detections
from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.results.coco import save_coco
from boxmask.types import Detections


@pytest.fixture
def full(demo: Path) -> Any:
    return read_detection(demo)


@pytest.fixture
def test_photos(full: Any) -> Any:
    return full.split("test")


def as_results(labels: dict[str, Any], **replaced: Any) -> list[dict[str, Any]]:
    keys = ("image_id", "category_id", "bbox")
    return [{**{key: each[key] for key in keys}, "score": 0.9, **replaced} for each in labels["annotations"]]


@pytest.fixture
def labels(demo: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((demo / "instances_test.json").read_text())
    return content


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content, indent=1))
    return path


def read(path: Path, demo: Path, full: Any, dataset: Any) -> list[Detections]:
    return read_given_detections(path, demo, full, dataset)


def is_perfect(dataset: Any, detections: list[Detections]) -> bool:
    return evaluate_detections(dataset, detections, interval=False)["AP"] == pytest.approx(1.0)


def test_ids_are_those_of_the_labels(
    tmp_path: Path, demo: Path, full: Any, test_photos: Any, labels: dict[str, Any]
) -> None:
    found = read(write(tmp_path / "found.json", as_results(labels)), demo, full, test_photos)
    assert is_perfect(test_photos, found)


def test_photos_and_classes_by_name(
    tmp_path: Path, demo: Path, full: Any, test_photos: Any, labels: dict[str, Any]
) -> None:
    files = {image["id"]: Path(image["file_name"]).name for image in labels["images"]}
    names = {category["id"]: category["name"] for category in labels["categories"]}
    results = [
        {"image_id": files[each["image_id"]], "category_name": names[each["category_id"]], **each_box(each)}
        for each in labels["annotations"]
    ]
    found = read(write(tmp_path / "found.json", results), demo, full, test_photos)
    assert is_perfect(test_photos, found)


def each_box(annotation: dict[str, Any]) -> dict[str, Any]:
    return {"bbox": annotation["bbox"], "score": 0.9}


def test_a_file_of_boxmask_predict_is_read(tmp_path: Path, demo: Path, full: Any, test_photos: Any) -> None:
    detections = []
    for photo in range(len(test_photos)):
        target, masks = test_photos.target(photo), test_photos.masks(photo)
        scores = np.linspace(0.9, 0.5, len(target.boxes)).astype(np.float32)
        size = tuple(test_photos.sizes[photo].tolist())
        detections.append(
            Detections(target.boxes, scores, target.labels, test_photos.class_names, size, masks)
        )
    save_coco([test_photos.path(i).name for i in range(len(test_photos))], detections, tmp_path / "coco.json")
    assert read(tmp_path / "coco.json", demo, full, test_photos) == detections


def test_results_on_other_photos_are_left_out(
    tmp_path: Path, demo: Path, full: Any, test_photos: Any
) -> None:
    photo = Path(full.split("train").files[0]).name
    result = {"image_id": photo, "category_name": full.class_names[0], "bbox": [0, 0, 5, 5], "score": 0.5}
    found = read(write(tmp_path / "found.json", [result]), demo, full, test_photos)
    assert [len(each) for each in found] == [0] * len(test_photos)


def test_a_file_without_any_class_of_the_labels_is_refused(
    tmp_path: Path, demo: Path, full: Any, test_photos: Any
) -> None:
    photo = Path(test_photos.files[0]).name
    results = [
        {"image_id": photo, "category_name": name, "bbox": [0, 0, 5, 5], "score": 0.5}
        for name in ("car", "bus")
    ]
    with pytest.raises(LabelError, match=r"none of its classes is in the labels\. It has bus, car, and"):
        read(write(tmp_path / "found.json", results), demo, full, test_photos)
    results[0]["category_name"] = full.class_names[0]
    found = read(write(tmp_path / "found.json", results), demo, full, test_photos)
    assert sum(len(each) for each in found) == 1


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"image_id": "missing.jpg"}, r"found\.json:2: result 0: no photo is called 'missing.jpg'"),
        ({"image_id": 999_999}, "image_id 999999 is no photo of the labels"),
        ({"category_id": 777}, "category_id 777 is no category of the labels"),
        ({"bbox": [1, 2, 3]}, r"bbox: expected x, y, width, height, found \[1, 2, 3\]"),
        ({"bbox": [1, 2, -3, 4]}, "no negative size"),
        ({"score": 90}, "score: expected a number from 0 to 1, found 90"),
        ({"score": None}, "score: expected a number from 0 to 1"),
        ({"image_id": None}, "image_id: expected a number or a name"),
    ],
)
def test_errors_name_the_line(
    tmp_path: Path,
    demo: Path,
    full: Any,
    test_photos: Any,
    labels: dict[str, Any],
    replaced: dict[str, Any],
    message: str,
) -> None:
    results = as_results(labels)[:2]
    results[0] |= replaced
    with pytest.raises(LabelError, match=message):
        read(write(tmp_path / "found.json", results), demo, full, test_photos)


def test_another_form_is_refused(tmp_path: Path, demo: Path, full: Any, test_photos: Any) -> None:
    with pytest.raises(LabelError, match="expected a list of results"):
        read(write(tmp_path / "found.json", {"predictions": []}), demo, full, test_photos)
    with pytest.raises(LabelError, match="result 0: expected an object, found int"):
        read(write(tmp_path / "found.json", [3]), demo, full, test_photos)


def test_polygons_are_refused(
    tmp_path: Path, demo: Path, full: Any, test_photos: Any, labels: dict[str, Any]
) -> None:
    results = as_results(labels, segmentation=[[0, 0, 1, 1, 1, 0]])
    with pytest.raises(LabelError, match="expected run lengths"):
        read(write(tmp_path / "found.json", results), demo, full, test_photos)
