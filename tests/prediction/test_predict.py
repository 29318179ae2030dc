from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO

from boxmask.atomic_write import output_error
from boxmask.errors import DiskFullError, PhotoError, UsageError
from boxmask.masks import Masks
from boxmask.prediction.predict import Prediction, predict_photos
from boxmask.results import detections as detections_module
from boxmask.results.formats import FORMATS
from boxmask.results.pictures import save_picture
from boxmask.tasks.classification.writer import ClassificationWriter
from boxmask.tasks.detection.writer import DetectionWriter
from boxmask.tasks.segmentation.writer import SegmentationWriter
from boxmask.tasks.table import task_of
from boxmask.types import Classification, Detections, SegmentationMap
from boxmask.weights.checkpoint import load_detector, load_model

Formats = tuple[str, ...] | None


class BoxDetector:
    """Finds one cat in the upper left quarter of every photo."""

    def predict(self, photo: np.ndarray) -> Detections:
        height, width = photo.shape[:2]
        box = torch.tensor([[0.0, 0.0, width / 2, height / 2]])
        return Detections(box, torch.tensor([0.75]), torch.tensor([0]), ("cat",), (height, width))


class MaskDetector:
    """Finds a cat in the upper left quarter of every photo, and one with a low score all over it."""

    def predict(self, photo: np.ndarray) -> Detections:
        height, width = photo.shape[:2]
        dense = np.ones((2, height, width), dtype=bool)
        dense[0, height // 2 :] = dense[0, :, width // 2 :] = False
        masks = Masks.from_dense(dense)
        boxes, scores = torch.from_numpy(masks.boxes()), torch.tensor([0.75, 0.25])
        return Detections(boxes, scores, torch.tensor([0, 0]), ("cat",), (height, width), masks)


class DayClassifier:
    """Every photo shows the day."""

    def predict(self, photo: np.ndarray) -> Classification:
        return Classification(torch.tensor([1.0]), ("day",))


class HorizonSegmenter:
    """Sees sky in the upper half of every photo, and road below."""

    def predict(self, photo: np.ndarray) -> SegmentationMap:
        labels = torch.zeros(photo.shape[:2], dtype=torch.uint8)
        labels[len(labels) // 2 :] = 1
        return SegmentationMap(labels, ("sky", "road"))


def detect_boxes(
    inputs: list[Path] | list[str], out: Path, save: Formats = None, min_score: float = 0.5, **options: Any
) -> Prediction:
    writer = DetectionWriter(out, save, min_score, masks=False)
    return predict_photos(BoxDetector(), inputs, out, writer, **options)


def detect_masks(inputs: list[Path], out: Path, save: Formats = None) -> Prediction:
    return predict_photos(MaskDetector(), inputs, out, DetectionWriter(out, save, 0.5, masks=True))


def segment(inputs: list[Path], out: Path, save: Formats = None) -> Prediction:
    return predict_photos(HorizonSegmenter(), inputs, out, SegmentationWriter(out, save, ("sky", "road")))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """a.jpg, b.png and deeper/a.jpg."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.png", "deeper/a.jpg"), start=1):
        Image.new("RGB", (40 * number, 30 * number), (90, 60 * number, 0)).save(folder / name)
    return folder


def names_in(folder: Path) -> list[str]:
    """The visible files; the manifest of outputs is hidden."""
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


# ---------------------------------------------------------------- photos


def test_by_default_a_picture_and_a_coco_file_are_written(photos: Path, tmp_path: Path) -> None:
    prediction = detect_boxes([photos / "a.jpg"], tmp_path / "out")
    assert names_in(tmp_path / "out") == ["a.jpg", "detections.json"]
    assert prediction.photos == [photos / "a.jpg"]
    assert prediction.files == [tmp_path / "out" / "a.jpg", tmp_path / "out" / "detections.json"]
    assert prediction.results[0].names == ["cat"]
    assert prediction.errors == []
    assert prediction.summary == "1 object with a score of 0.5 or more"
    picture = np.array(Image.open(prediction.files[0]))
    assert picture.shape == (30, 40, 3)
    assert (picture != np.array(Image.open(photos / "a.jpg"))).any()


def test_folders_are_searched_and_equal_names_are_numbered(photos: Path, tmp_path: Path) -> None:
    prediction = detect_boxes([photos], tmp_path / "out")
    assert [photo.relative_to(photos).as_posix() for photo in prediction.photos] == [
        "a.jpg",
        "b.png",
        "deeper/a.jpg",
    ]
    assert names_in(tmp_path / "out") == ["a-2.jpg", "a.jpg", "b.jpg", "detections.json"]
    *pictures, _ = prediction.files
    assert [Image.open(picture).width for picture in pictures] == [40, 80, 120]


def test_globs_are_expanded(photos: Path, tmp_path: Path) -> None:
    prediction = detect_boxes([f"{photos}/**/*.jpg"], tmp_path / "out", save=("coco",))
    assert [photo.name for photo in prediction.photos] == ["a.jpg", "a.jpg"]
    assert names_in(tmp_path / "out") == ["detections.json"]
    assert prediction.files == [tmp_path / "out" / "detections.json"]


def test_progress_is_reported_after_each_photo(photos: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    detect_boxes([photos], tmp_path / "out", progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("given", ["nowhere.jpg", "nothing*.jpg"])
def test_an_input_that_matches_no_photo_is_an_error(tmp_path: Path, given: str) -> None:
    with pytest.raises(PhotoError, match=given.replace("*", r"\*")):
        detect_boxes([tmp_path / given], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_the_folder_is_an_error(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match=r"out: expected a folder for the results, found a file"):
        detect_boxes([photos], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_damaged_photo_is_reported_and_the_others_are_predicted(photos: Path, tmp_path: Path) -> None:
    damaged = photos / "b.png"
    damaged.write_bytes(damaged.read_bytes()[:-60])
    calls: list[tuple[int, int]] = []
    prediction = detect_boxes([photos], tmp_path / "out", progress=lambda *done: calls.append(done))
    assert len(prediction.errors) == 1
    assert prediction.errors[0].startswith(f"{damaged}: this photo is damaged or truncated")
    assert damaged not in prediction.photos
    assert len(prediction.photos) == len(prediction.results) == 2
    assert names_in(tmp_path / "out") == ["a-2.jpg", "a.jpg", "detections.json"]
    assert sorted(file.name for file in prediction.files) == ["a-2.jpg", "a.jpg", "detections.json"]
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_files_that_are_not_photos_are_counted_in_one_note(photos: Path, tmp_path: Path) -> None:
    for name in ("clip.mp4", "notes.txt", "deeper/clip.mp4"):
        (photos / name).touch()
    assert detect_boxes([photos], tmp_path / "out").notes == ("not used: 2 .mp4 (video), 1 .txt",)
    assert detect_boxes([photos / "a.jpg"], tmp_path / "other").notes == ()


# ---------------------------------------------------------------- photos are never overwritten


def test_a_picture_never_overwrites_a_photo(photos: Path) -> None:
    before = (photos / "a.jpg").read_bytes()
    with pytest.raises(UsageError, match=r"a\.jpg: would overwrite the photo itself"):
        detect_boxes([photos / "a.jpg"], photos)
    link = photos.parent / "link"
    link.symlink_to(photos)
    with pytest.raises(UsageError, match="would overwrite"):
        detect_boxes([photos / "a.jpg"], link)
    assert (photos / "a.jpg").read_bytes() == before
    detect_boxes([photos / "a.jpg"], photos, save=("png",))
    assert names_in(photos) == ["a.jpg", "a.png", "b.png", "deeper"]


def test_a_label_map_never_overwrites_a_photo(photos: Path) -> None:
    (photos / "b.png").rename(photos / "deeper" / "b.png")
    (photos / "deeper").rename(photos / "label-maps")
    before = (photos / "label-maps" / "b.png").read_bytes()
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        detect_masks([photos / "label-maps" / "b.png"], photos, save=("label-maps",))
    assert (photos / "label-maps" / "b.png").read_bytes() == before


# ---------------------------------------------------------------- files that boxmask did not write


@pytest.mark.parametrize("name", ["a.jpg", "detections.json", "labelme/a.json"])
def test_a_file_of_the_users_is_never_replaced(photos: Path, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(UsageError, match=f"{name}: is not replaced, because boxmask did not write it"):
        detect_boxes([photos / "a.jpg"], tmp_path / "out", save=("jpg", "coco", "labelme"))
    assert [file for file in (tmp_path / "out").rglob("*") if file.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_a_file_of_the_users_stops_a_classifier_and_a_segmenter_too(photos: Path, tmp_path: Path) -> None:
    for file, run in [
        ("classes.csv", lambda: ClassificationWriter(tmp_path, None, ("day", "night"))),
        ("classes.txt", lambda: SegmentationWriter(tmp_path, None, ("sky", "road"))),
    ]:
        (tmp_path / file).write_text("mine")
        with pytest.raises(UsageError, match=f"{file}: is not replaced"):
            predict_photos(HorizonSegmenter(), [photos], tmp_path, run())
        assert (tmp_path / file).read_text() == "mine"


def test_a_second_call_replaces_the_first(photos: Path, tmp_path: Path) -> None:
    detect_boxes([photos], tmp_path / "out", save=("jpg", "coco", "labelme"))
    prediction = detect_boxes([photos / "b.png"], tmp_path / "out")
    assert names_in(tmp_path / "out") == ["b.jpg", "detections.json", "labelme"]
    assert names_in(tmp_path / "out" / "labelme") == []
    (note,) = prediction.notes
    assert "removed 5 outputs of an earlier call: a-2.jpg, a.jpg, labelme/a-2.json" in note


def test_a_corrected_file_stays(photos: Path, tmp_path: Path) -> None:
    detect_boxes([photos / "a.jpg"], tmp_path / "out", save=("labelme",))
    (tmp_path / "out" / "labelme" / "a.json").write_text("corrected")
    with pytest.raises(UsageError, match=r"labelme/a\.json: is not replaced.* or it was changed since"):
        detect_boxes([photos / "a.jpg"], tmp_path / "out", save=("labelme",))
    prediction = detect_boxes([photos / "b.png"], tmp_path / "out", save=("labelme",))
    assert any(
        "kept 1 output of an earlier call, changed since: labelme/a.json" in n for n in prediction.notes
    )
    assert (tmp_path / "out" / "labelme" / "a.json").read_text() == "corrected"


def test_pictures_of_boxmask_are_no_photos(photos: Path, tmp_path: Path) -> None:
    detect_boxes([photos], photos / "predictions")
    prediction = detect_boxes([photos], photos / "predictions")
    assert [photo.name for photo in prediction.photos] == ["a.jpg", "b.png", "a.jpg"]
    assert "left out: 4 files that boxmask wrote" in prediction.notes[0]
    with pytest.raises(PhotoError, match=r"contains no photos .*left out: 4 files that boxmask wrote"):
        detect_boxes([photos / "predictions"], tmp_path / "out")
    named = detect_boxes([photos / "predictions" / "b.jpg"], tmp_path / "out")
    assert [photo.name for photo in named.photos] == ["b.jpg"]


# ---------------------------------------------------------------- photos whose files cannot be written


def failing_for(name: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the picture of one photo fail with an error of the system."""

    def save(picture: np.ndarray, file: Path) -> None:
        if file.stem == name:
            raise output_error(file, OSError(number, os.strerror(number)))
        save_picture(picture, file)

    monkeypatch.setattr(detections_module, "save_picture", save)


def test_a_photo_that_cannot_be_written_is_reported(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for("b", errno.EACCES, monkeypatch)
    prediction = detect_boxes([photos], tmp_path / "out", save=("labelme", "jpg", "coco"))
    assert len(prediction.errors) == 1
    assert "b.jpg: cannot be written (no permission to write here)" in prediction.errors[0]
    assert [photo.name for photo in prediction.photos] == ["a.jpg", "a.jpg"]
    assert names_in(tmp_path / "out" / "labelme") == ["a-2.json", "a.json"]  # b has no file at all
    content = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert [Path(image["file_name"]).name for image in content["images"]] == ["a.jpg", "a.jpg"]


def test_a_full_disk_stops_the_job(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_for("b", errno.ENOSPC, monkeypatch)
    with pytest.raises(DiskFullError, match=r"b\.jpg: no space left on the disk"):
        detect_boxes([photos], tmp_path / "out", save=("labelme", "jpg"))
    assert names_in(tmp_path / "out") == ["a.jpg", "labelme"]
    assert names_in(tmp_path / "out" / "labelme") == ["a.json"]


@pytest.mark.parametrize("stem", ["가" * 83, "x" * 251])
def test_a_name_that_is_too_long_is_cut(photos: Path, tmp_path: Path, stem: str) -> None:
    (photos / "a.jpg").rename(photos / f"{stem}.jpg")
    prediction = detect_boxes([photos / f"{stem}.jpg"], tmp_path / "out", save=("jpg", "labelme", "coco"))
    assert prediction.errors == []
    assert len(prediction.files) == 3
    assert "names that are too long" in prediction.notes[0]
    content = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert content["images"][0]["file_name"].endswith(f"{stem}.jpg")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text_can_be_written(photos: Path, tmp_path: Path) -> None:
    photo = photos / os.fsdecode(b"caf\xe9.jpg")  # Latin-1, as on an old disk
    (photos / "a.jpg").rename(photo)
    prediction = detect_boxes([photos], tmp_path / "out", save=("jpg", "coco", "labelme"))
    assert prediction.errors == []
    content = json.loads((tmp_path / "out" / "detections.json").read_bytes().decode())
    assert photo.as_posix() in [image["file_name"] for image in content["images"]]
    writer = ClassificationWriter(tmp_path / "table", None, ("day",))
    predict_photos(DayClassifier(), [photos], tmp_path / "table", writer)
    assert "caf\\udce9.jpg" in (tmp_path / "table" / "classes.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_boxes_that_are_not_finite_are_an_error_of_the_photo(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    predict = BoxDetector.predict

    def diverged(self: BoxDetector, photo: np.ndarray) -> Detections:
        found = predict(self, photo)
        return replace(found, boxes=np.full_like(found.boxes, value)) if photo.shape[1] == 80 else found

    monkeypatch.setattr(BoxDetector, "predict", diverged)
    prediction = detect_boxes([photos], tmp_path / "out")
    assert len(prediction.errors) == 1
    assert "b.png: the model found boxes or scores that are NaN or infinite" in prediction.errors[0]
    assert names_in(tmp_path / "out") == ["a-2.jpg", "a.jpg", "detections.json"]


# ---------------------------------------------------------------- detections


def test_the_coco_file_can_be_read_by_pycocotools(photos: Path, tmp_path: Path) -> None:
    prediction = detect_boxes([photos], tmp_path / "out", save=("coco",))
    coco = COCO(str(tmp_path / "out" / "detections.json"))
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == [
        photo.as_posix() for photo in prediction.photos
    ]
    assert [image["height"] for image in coco.loadImgs(coco.getImgIds())] == [30, 60, 90]
    assert coco.loadCats(coco.getCatIds())[0]["name"] == "cat"
    first = coco.loadAnns(coco.getAnnIds())[0]
    assert first["bbox"] == [0.0, 0.0, 20.0, 15.0]
    assert first["score"] == 0.75


def test_the_minimum_score_applies_to_pictures_but_not_to_the_coco_file(photos: Path, tmp_path: Path) -> None:
    low, high = tmp_path / "low", tmp_path / "high"
    shown = detect_boxes([photos / "b.png"], low, save=("png", "coco"), min_score=0.5)
    hidden = detect_boxes([photos / "b.png"], high, save=("png", "coco"), min_score=0.9)
    photo = np.array(Image.open(photos / "b.png"))
    assert (np.array(Image.open(low / "b.png")) != photo).any()
    assert (np.array(Image.open(high / "b.png")) == photo).all()
    assert (low / "detections.json").read_text() == (high / "detections.json").read_text()
    assert shown.summary == "1 object with a score of 0.5 or more"
    assert hidden.summary == "0 objects with a score of 0.9 or more"


def test_masks_can_be_saved_in_every_format(photos: Path, tmp_path: Path) -> None:
    prediction = detect_masks([photos / "a.jpg"], tmp_path / "out", save=FORMATS)
    shared = ["detections.csv", "detections.json", "detections.parquet"]
    folders = ["label-maps", "labelme", "voc", "yolo"]
    assert names_in(tmp_path / "out") == ["a.jpg", "a.png", "crops", *shared, *folders]
    assert names_in(tmp_path / "out" / "yolo") == ["classes.txt", "labels"]
    labelme, label_map = tmp_path / "out" / "labelme" / "a.json", tmp_path / "out" / "label-maps" / "a.png"
    assert {labelme, label_map} < set(prediction.files)
    objects = np.array(Image.open(label_map))
    assert (objects[:15, :20] == 1).all()
    assert (objects > 0).sum() == 15 * 20  # the object with the low score is in the COCO file only
    content = json.loads(labelme.read_text())
    assert [shape["shape_type"] for shape in content["shapes"]] == ["mask"]
    assert content["imagePath"] == "../../photos/a.jpg"
    annotations = json.loads((tmp_path / "out" / "detections.json").read_text())["annotations"]
    assert [annotation["area"] for annotation in annotations] == [300, 1200]


def test_unknown_formats_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--save tiff, bmp: unknown format\. Choose from: jpg, png, coco, yolo.*"
    ):
        DetectionWriter(tmp_path / "out", ("jpg", "tiff", "bmp"), 0.5, masks=False)
    assert not (tmp_path / "out").exists()


def test_label_maps_need_masks(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="--save label-maps: needs masks, and this detector finds boxes only"
    ):
        DetectionWriter(tmp_path / "out", ("jpg", "label-maps"), 0.5, masks=False)
    assert not (tmp_path / "out").exists()
    detect_boxes([photos / "b.png"], tmp_path / "out", save=("labelme",))
    content = json.loads((tmp_path / "out" / "labelme" / "b.json").read_text())
    assert content["shapes"][0]["points"] == [[0.0, 0.0], [40.0, 30.0]]


def test_a_trained_detector(trained: Path, demo: Path, tmp_path: Path) -> None:
    shutil.copy(demo / "images" / "test-00023.jpg", tmp_path / "photo.jpg")
    writer = DetectionWriter(tmp_path / "out", None, 0.5, masks=False)
    detector = load_detector(trained)
    prediction = predict_photos(detector, [tmp_path / "photo.jpg"], tmp_path / "out", writer)
    assert prediction.results[0] == detector.predict(tmp_path / "photo.jpg")  # bit for bit
    assert len(prediction.results[0].class_names) == 10
    assert (prediction.results[0].scores >= 0.05).all()


# ---------------------------------------------------------------- label maps


def test_label_maps_are_drawn_and_saved_with_their_classes(photos: Path, tmp_path: Path) -> None:
    prediction = segment([photos], tmp_path / "out", save=("png", "label-maps"))
    assert names_in(tmp_path / "out") == ["a-2.png", "a.png", "b.png", "classes.txt", "label-maps"]
    assert names_in(tmp_path / "out" / "label-maps") == ["a-2.png", "a.png", "b.png"]
    assert (tmp_path / "out" / "classes.txt").read_text() == "sky 56B4E9\nroad E69F00\n"
    labels = np.array(Image.open(tmp_path / "out" / "label-maps" / "b.png"))
    assert labels.shape == (60, 80)
    assert labels[:30].max() == 0
    assert labels[30:].min() == 1
    assert prediction.results[1] == {"sky": 0.5, "road": 0.5}
    assert prediction.summary == ""
    assert Image.open(tmp_path / "out" / "a.png").height > 30  # the legend


def test_label_maps_have_no_separate_objects(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--save coco: needs separate objects.*jpg, png, label-maps"):
        SegmentationWriter(tmp_path / "out", ("jpg", "coco"), ("sky",))
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- every task


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("mask-rcnn", ["detections.json", "{photo}.jpg"]),
        ("unet", ["classes.txt", "label-maps/{photo}.png", "{photo}.jpg"]),
        ("tiles", ["classes.txt", "label-maps/{photo}.png", "{photo}.jpg"]),
        ("classifier", ["classes.csv"]),
    ],
)
def test_a_trained_model_writes_the_default_formats_of_its_task(
    runs: Callable[[str], Path], demo: Path, tmp_path: Path, kind: str, written: list[str]
) -> None:
    photo, model = sorted((demo / "images").glob("test-*.jpg"))[0], load_model(runs(kind))
    prediction = predict_photos(model, [photo], tmp_path, task_of(model).writer(model, tmp_path, None, 0.5))
    files = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("[!.]*.*"))
    assert files == [name.format(photo=photo.stem) for name in written]
    assert set(prediction.files) == set(tmp_path.rglob("[!.]*.*"))
    assert len(prediction.results) == 1
    if kind in ("unet", "tiles"):
        assert sum(prediction.results[0].values()) == pytest.approx(1)
