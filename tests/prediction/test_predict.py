from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO

from boxmask.detectors.contract import Detector
from boxmask.errors import PhotoError, UsageError
from boxmask.masks import Masks
from boxmask.prediction.predict import predict_photos
from boxmask.results.formats import FORMATS
from boxmask.types import Detections, SegmentationMap
from boxmask.weights.checkpoint import load_detector, load_model


class OutlineStub:
    """Finds a cat's outline in the upper left quarter of every photo, and a doubtful one over all of it."""

    def predict(self, photo: np.ndarray) -> Detections:
        height, width = photo.shape[:2]
        dense = np.ones((2, height, width), dtype=bool)
        dense[0, height // 2 :] = dense[0, :, width // 2 :] = False
        masks = Masks.from_dense(dense)
        boxes, scores = torch.from_numpy(masks.boxes()), torch.tensor([0.75, 0.25])
        return Detections(boxes, scores, torch.tensor([0, 0]), ("cat",), (height, width), masks)


class MapStub:
    """Sees sky in the upper half of every photo, and road below."""

    def predict(self, photo: np.ndarray) -> SegmentationMap:
        labels = torch.zeros(photo.shape[:2], dtype=torch.uint8)
        labels[len(labels) // 2 :] = 1
        return SegmentationMap(labels, ("sky", "road"))


class Stub:
    """Finds one cat in the upper left quarter of every photo."""

    def predict(self, photo: np.ndarray) -> Detections:
        height, width = photo.shape[:2]
        box = torch.tensor([[0.0, 0.0, width / 2, height / 2]])
        return Detections(box, torch.tensor([0.75]), torch.tensor([0]), ("cat",), (height, width))


@pytest.fixture
def stub() -> Detector:
    return Stub()  # type: ignore[return-value]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """a.jpg, b.png and deeper/a.jpg."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b.png", "deeper/a.jpg"), start=1):
        Image.new("RGB", (40 * number, 30 * number), (90, 60 * number, 0)).save(folder / name)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_photo_gives_a_picture_and_the_detections(stub: Detector, photos: Path, tmp_path: Path) -> None:
    done = predict_photos(stub, [photos / "a.jpg"], tmp_path / "out")
    assert names(tmp_path / "out") == ["a.jpg", "detections.json"]
    assert done.photos == [photos / "a.jpg"]
    assert done.pictures == [tmp_path / "out" / "a.jpg"]
    assert done.coco == tmp_path / "out" / "detections.json"
    assert done.detections[0].names == ["cat"]
    picture = np.array(Image.open(done.pictures[0]))
    assert picture.shape == (30, 40, 3)
    assert (picture != np.array(Image.open(photos / "a.jpg"))).any()


def test_folders_are_searched_and_names_that_clash_are_numbered(
    stub: Detector, photos: Path, tmp_path: Path
) -> None:
    done = predict_photos(stub, [photos], tmp_path / "out")
    assert [photo.relative_to(photos).as_posix() for photo in done.photos] == [
        "a.jpg",
        "b.png",
        "deeper/a.jpg",
    ]
    assert names(tmp_path / "out") == ["a-2.jpg", "a.jpg", "b.jpg", "detections.json"]
    assert [Image.open(picture).width for picture in done.pictures] == [40, 80, 120]


def test_globs_are_followed(stub: Detector, photos: Path, tmp_path: Path) -> None:
    done = predict_photos(stub, [f"{photos}/**/*.jpg"], tmp_path / "out", save=("coco",))
    assert [photo.name for photo in done.photos] == ["a.jpg", "a.jpg"]
    assert names(tmp_path / "out") == ["detections.json"]
    assert done.pictures == []


def test_the_detections_are_coco_s(stub: Detector, photos: Path, tmp_path: Path) -> None:
    done = predict_photos(stub, [photos], tmp_path / "out", save=("coco",))
    assert done.coco is not None
    read = COCO(str(done.coco))
    assert [image["file_name"] for image in read.loadImgs(read.getImgIds())] == [
        photo.as_posix() for photo in done.photos
    ]
    assert [image["height"] for image in read.loadImgs(read.getImgIds())] == [30, 60, 90]
    assert read.loadCats(read.getCatIds())[0]["name"] == "cat"
    first = read.loadAnns(read.getAnnIds())[0]
    assert first["bbox"] == [0.0, 0.0, 20.0, 15.0]
    assert first["score"] == 0.75


def test_the_json_holds_what_the_pictures_do_not_show(stub: Detector, photos: Path, tmp_path: Path) -> None:
    shown = predict_photos(stub, [photos / "b.png"], tmp_path / "low", save=("png", "coco"), min_score=0.5)
    hidden = predict_photos(stub, [photos / "b.png"], tmp_path / "high", save=("png", "coco"), min_score=0.9)
    photo = np.array(Image.open(photos / "b.png"))
    assert (np.array(Image.open(shown.pictures[0])) != photo).any()
    assert (np.array(Image.open(hidden.pictures[0])) == photo).all()
    assert shown.coco is not None
    assert hidden.coco is not None
    assert json.loads(shown.coco.read_text()) == json.loads(hidden.coco.read_text())


def test_progress_is_told_after_each_photo(stub: Detector, photos: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    predict_photos(stub, [photos], tmp_path / "out", progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_unknown_form_is_refused_before_anything_is_written(
    stub: Detector, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"--save yolo, bmp: unknown format. Choose from: jpg, png, coco, l.*"
    ):
        predict_photos(stub, [photos], tmp_path / "out", save=("jpg", "yolo", "bmp"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["nowhere.jpg", "nothing*.jpg"])
def test_an_input_that_means_no_photo_is_named(stub: Detector, tmp_path: Path, given: str) -> None:
    with pytest.raises(PhotoError, match=given.replace("*", r"\*")):
        predict_photos(stub, [tmp_path / given], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_photo_is_never_replaced_by_its_picture(stub: Detector, photos: Path) -> None:
    before = (photos / "a.jpg").read_bytes()
    with pytest.raises(UsageError, match=r"a\.jpg: would overwrite the photo itself"):
        predict_photos(stub, [photos / "a.jpg"], photos)
    link = photos.parent / "link"
    link.symlink_to(photos)
    with pytest.raises(UsageError, match="would overwrite"):
        predict_photos(stub, [photos / "a.jpg"], link)
    assert (photos / "a.jpg").read_bytes() == before
    predict_photos(stub, [photos / "a.jpg"], photos, save=("png",))
    assert names(photos) == ["a.jpg", "a.png", "b.png", "deeper"]


def test_a_damaged_photo_is_named_and_the_others_are_done(
    stub: Detector, photos: Path, tmp_path: Path
) -> None:
    damaged = photos / "b.png"
    damaged.write_bytes(damaged.read_bytes()[:-60])
    done = predict_photos(stub, [photos], tmp_path / "out")
    assert len(done.faults) == 1
    assert done.faults[0].startswith(f"{damaged}: this photo is damaged or truncated")
    assert damaged not in done.photos
    assert names(tmp_path / "out") == ["a-2.jpg", "a.jpg", "detections.json"]


def test_a_trained_detector_predicts(trained: Path, demo: Path, tmp_path: Path) -> None:
    shutil.copy(demo / "images" / "test-00023.jpg", tmp_path / "photo.jpg")
    done = predict_photos(load_detector(trained), [tmp_path / "photo.jpg"], tmp_path / "out")
    assert len(done.detections[0].class_names) == 10
    assert (done.detections[0].scores >= 0.05).all()


def test_outlines_are_saved_in_every_form(photos: Path, tmp_path: Path) -> None:
    done = predict_photos(OutlineStub(), [photos / "a.jpg"], tmp_path / "out", save=FORMATS)
    assert names(tmp_path / "out") == ["a.jpg", "a.png", "detections.json", "label-maps", "labelme"]
    assert done.labels == [tmp_path / "out" / "labelme" / "a.json", tmp_path / "out" / "label-maps" / "a.png"]
    numbers = np.array(Image.open(done.labels[1]))
    assert (numbers[:15, :20] == 1).all()
    assert (numbers > 0).sum() == 15 * 20  # the doubtful one is in the COCO file only
    said = json.loads(done.labels[0].read_text())
    assert [shape["shape_type"] for shape in said["shapes"]] == ["mask"]
    assert said["imagePath"] == "../../photos/a.jpg"
    assert done.coco is not None
    areas = [one["area"] for one in json.loads(done.coco.read_text())["annotations"]]
    assert areas == [300, 1200]


def test_boxes_have_no_label_images(stub: Detector, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="--save label-maps: needs masks, and this detector finds boxes only"
    ):
        predict_photos(stub, [photos], tmp_path / "out", save=("jpg", "label-maps"))
    assert not (tmp_path / "out").exists()
    done = predict_photos(stub, [photos / "b.png"], tmp_path / "out", save=("labelme",))
    said = json.loads(done.labels[0].read_text())
    assert said["shapes"][0]["points"] == [[0.0, 0.0], [40.0, 30.0]]


def test_maps_are_drawn_and_saved_with_their_classes(photos: Path, tmp_path: Path) -> None:
    done = predict_photos(MapStub(), [photos], tmp_path / "out", save=("png", "label-maps"))
    assert names(tmp_path / "out") == ["a-2.png", "a.png", "b.png", "classes.txt", "label-maps"]
    assert names(tmp_path / "out" / "label-maps") == ["a-2.png", "a.png", "b.png"]
    assert (tmp_path / "out" / "classes.txt").read_text() == "sky 56B4E9\nroad E69F00\n"
    labels = np.array(Image.open(tmp_path / "out" / "label-maps" / "b.png"))
    assert labels.shape == (60, 80)
    assert labels[:30].max() == 0
    assert labels[30:].min() == 1
    assert done.shares[1] == {"sky": 0.5, "road": 0.5}
    assert done.detections == []
    assert Image.open(done.pictures[0]).height > 30  # the legend


def test_maps_are_no_objects(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--save coco: needs separate objects.*jpg, png, label-maps"):
        predict_photos(MapStub(), [photos], tmp_path / "out", save=("jpg", "coco"))
    assert not (tmp_path / "out").exists()


def test_a_label_image_never_replaces_a_photo(photos: Path) -> None:
    (photos / "b.png").rename(photos / "deeper" / "b.png")
    (photos / "deeper").rename(photos / "label-maps")
    before = (photos / "label-maps" / "b.png").read_bytes()
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        predict_photos(OutlineStub(), [photos / "label-maps" / "b.png"], photos, save=("label-maps",))
    assert (photos / "label-maps" / "b.png").read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("mask-rcnn", ["detections.json", "test-00020.jpg"]),
        ("unet", ["classes.txt", "label-maps/test-00020.png", "test-00020.jpg"]),
        ("tiles", ["classes.txt", "label-maps/test-00020.png", "test-00020.jpg"]),
    ],
)
def test_trained_models_write_their_default_formats(
    runs: Callable[[str], Path], demo: Path, tmp_path: Path, kind: str, written: list[str]
) -> None:
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    done = predict_photos(load_model(runs(kind)), [photo], tmp_path)  # type: ignore[arg-type]
    files = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*"))
    assert files == [name.replace("test-00020", photo.stem) for name in written]
    assert (done.shares != []) == (kind != "mask-rcnn")
    assert all(sum(shares.values()) == pytest.approx(1) for shares in done.shares)
