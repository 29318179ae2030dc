"""What boxmask wrote into the folder of a data set is neither a photo nor a label."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.classification.read import read_unsplit_classification
from boxmask.data.demo.make import make_demo
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError
from boxmask.outputs import begin_job
from boxmask.results.coco import coco_json, save_coco
from boxmask.results.label_maps import save_classes_file, save_label_map
from boxmask.results.labelme import save_labelme
from boxmask.results.pictures import save_picture
from boxmask.types import Detections, SegmentationMap

Predict = Callable[[Path, list[Path]], None]


def found() -> Detections:
    box, score, label = torch.tensor([[2.0, 3, 20, 25]]), torch.tensor([0.9]), torch.tensor([0])
    return Detections(box, score, label, ("cat",), (30, 40))


def predict(folder: Path, photos: list[Path]) -> None:
    """What `boxmask predict` writes for detectors and segmenters, in all formats."""
    begin_job(folder, [folder / f"{photo.stem}.jpg" for photo in photos])
    label_map = SegmentationMap(torch.zeros((30, 40), dtype=torch.uint8), ("sky", "road"))
    for photo in photos:
        save_picture(np.zeros((30, 40, 3), np.uint8), folder / f"{photo.stem}.jpg")
        save_labelme(photo, found(), folder / "labelme" / f"{photo.stem}.json")
        save_label_map(label_map, folder / "label-maps" / f"{photo.stem}.png")
    save_classes_file(label_map.class_names, folder / "classes.txt")
    save_coco(photos, [found()] * len(photos), folder / "detections.json")


def photos_in(folder: Path, count: int = 3) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    photos = [folder / f"p{number}.jpg" for number in range(count)]
    for number, photo in enumerate(photos):
        Image.new("RGB", (40, 30), (80 * number, 90, 0)).save(photo)
    return photos


def coco_set(root: Path) -> list[Path]:
    photos = photos_in(root)
    document = coco_json([photo.name for photo in photos], [found()] * 3)
    for annotation in document["annotations"]:
        del annotation["score"]
    (root / "labels.json").write_text(json.dumps(document))
    return photos


def voc_set(root: Path) -> list[Path]:
    photos = photos_in(root)
    for photo in photos:
        photo.with_suffix(".xml").write_text(
            f"<annotation><filename>{photo.name}</filename><size><width>40</width><height>30</height></size>"
            "<object><name>cat</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>25</ymax>"
            "</bndbox></object></annotation>"
        )
    return photos


# ---------------------------------------------------------------- every kind of data set


@pytest.mark.parametrize("make", [coco_set, voc_set])
@pytest.mark.parametrize("where", ["predictions", "images/predictions", "annotations", "labels", "."])
def test_a_detection_set_is_the_same_with_predictions_in_it(
    tmp_path: Path, make: Callable[[Path], list[Path]], where: str
) -> None:
    photos = make(tmp_path / "data")
    before = read_unsplit_detection(tmp_path / "data")
    others = [tmp_path / f"other-{photo.name}" for photo in photos]
    predict(tmp_path / "data" / where, others if where == "." else photos)
    after = read_unsplit_detection(tmp_path / "data")
    assert after.fingerprint() == before.fingerprint()
    assert any("left out: 11 files that boxmask wrote" in note for note in after.notes)


def test_copied_predictions_are_left_out_too(tmp_path: Path) -> None:
    photos = coco_set(tmp_path / "data")
    predict(tmp_path / "out", photos)
    (tmp_path / "data" / "copied").mkdir()
    for file in (tmp_path / "out").glob("[!.]*.*"):
        if file.name != "classes.txt":
            shutil.copy(file, tmp_path / "data" / "copied")
    dataset = read_unsplit_detection(tmp_path / "data")
    assert len(dataset) == 3
    assert any("left out: 4 files that boxmask wrote" in note for note in dataset.notes)


def test_a_segmentation_set_is_the_same_with_predictions_in_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = photos_in(root / "images")
    (root / "masks").mkdir()
    for photo in photos:
        Image.fromarray(np.tile(np.uint8([0, 1]), (30, 20))).save(root / "masks" / f"{photo.stem}.png")
    (root / "classes.txt").write_text("sky\nroad\n")
    before = read_unsplit_segmentation(root)
    predict(root / "predictions", photos)
    after = read_unsplit_segmentation(root)
    assert after.fingerprint() == before.fingerprint()
    assert any("files that boxmask wrote" in note for note in after.notes)


def test_a_classification_set_is_the_same_with_predictions_in_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = photos_in(root / "day")
    for number, photo in enumerate(photos_in(root / "night")):
        Image.new("RGB", (40, 30), (0, 0, 60 + number)).save(photo)
    predict(root / "day", [photo.with_stem(f"drawn-{photo.stem}") for photo in photos])
    dataset = read_unsplit_classification(root)
    assert len(dataset) == 6
    assert any("files that boxmask wrote" in note for note in dataset.notes)


# ---------------------------------------------------------------- predictions alone


def test_a_file_of_boxmask_is_refused_as_labels(tmp_path: Path) -> None:
    photos = photos_in(tmp_path)
    predict(tmp_path / "out", photos)
    with pytest.raises(
        LabelError, match=r"detections\.json: boxmask wrote this file as a result, so it holds no"
    ):
        read_unsplit_detection(tmp_path / "out" / "detections.json")
    with pytest.raises(LabelError, match="no labels found"):
        read_unsplit_detection(tmp_path / "out")


@pytest.mark.parametrize("scores", [[0.9, 0.8, 1.0], [1, 1, 1], [0, 0, 0]])
def test_annotations_with_scores_are_predictions_of_any_program(tmp_path: Path, scores: list[Any]) -> None:
    coco_set(tmp_path)
    document = json.loads((tmp_path / "labels.json").read_text())
    for annotation, score in zip(document["annotations"], scores, strict=True):
        annotation["score"] = score
    (tmp_path / "predicted.json").write_text(json.dumps(document))
    dataset = read_unsplit_detection(tmp_path)
    assert len(dataset) == 3
    (note,) = (note for note in dataset.notes if "every annotation has a score" in note)
    assert "predicted.json" in note
    (tmp_path / "labels.json").unlink()
    with pytest.raises(LabelError, match=r'predicted\.json: every annotation has a score.*remove "score"'):
        read_unsplit_detection(tmp_path)
    with pytest.raises(LabelError, match="every annotation has a score"):
        read_unsplit_detection(tmp_path / "predicted.json")


@pytest.mark.parametrize("score", [None, "missing"])
def test_annotations_of_which_some_have_no_score_are_labels(tmp_path: Path, score: object) -> None:
    coco_set(tmp_path)
    document = json.loads((tmp_path / "labels.json").read_text())
    for annotation in document["annotations"][1:]:
        annotation["score"] = 0.5
    if score is None:
        document["annotations"][0]["score"] = None
    (tmp_path / "labels.json").write_text(json.dumps(document))
    assert len(read_unsplit_detection(tmp_path)) == 3


def test_corrected_predictions_are_labels(tmp_path: Path) -> None:
    photos = photos_in(tmp_path)
    save_coco([photo.name for photo in photos], [found()] * 3, tmp_path / "detections.json")
    document = json.loads((tmp_path / "detections.json").read_text())
    for annotation in document["annotations"]:
        del annotation["score"]
    (tmp_path / "detections.json").write_text(json.dumps(document))
    assert len(read_unsplit_detection(tmp_path).boxes) == 3


# ---------------------------------------------------------------- the demo


def test_the_photos_and_labels_of_the_demo_are_read(tmp_path: Path) -> None:
    data = make_demo(tmp_path / "demo" / "data", photos=20)
    save_picture(np.zeros((30, 40, 3), np.uint8), tmp_path / "demo" / "run" / "found.jpg")
    dataset = read_unsplit_detection(data)
    assert len(dataset) == 20
    assert not any("boxmask wrote" in note for note in dataset.notes)
    assert has_detection_labels(data)
    assert len(read_unsplit_detection(tmp_path / "demo")) == 20


def test_label_maps_that_were_saved_again_are_labels(tmp_path: Path) -> None:
    """As the how-to on label maps says."""
    photos = photos_in(tmp_path / "images")
    label_map = SegmentationMap(torch.zeros((30, 40), dtype=torch.uint8), ("sky", "road"))
    for photo in photos:
        save_label_map(label_map, tmp_path / "label-maps" / f"{photo.stem}.png")
    save_classes_file(label_map.class_names, tmp_path / "classes.txt")
    with pytest.raises(LabelError):
        read_unsplit_segmentation(tmp_path)
    for file in (tmp_path / "label-maps").glob("*.png"):
        Image.open(file).save(file)
    assert len(read_unsplit_segmentation(tmp_path)) == 3
