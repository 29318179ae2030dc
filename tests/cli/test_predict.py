from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import boxmask as verbs

Refused = Callable[..., str]


def test_pictures_and_detections_are_written(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    completed = boxmask("predict", trained, demo / "images" / "test-*.jpg", "--min-score", "0.06")
    assert completed.status == 0
    assert completed.err == ""
    photos, folder = completed.out.splitlines()
    written = json.loads((here / "predictions" / "detections.json").read_text())
    shown = sum(annotation["score"] >= 0.06 for annotation in written["annotations"])
    assert photos == f"4 photos, {shown} objects with a score of 0.06 or more"
    assert folder == "predictions"
    assert len(list((here / "predictions").glob("test-*.jpg"))) == 4


def test_the_formats_can_be_chosen(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    photo = demo / "images" / "train-00001.jpg"
    assert boxmask("predict", trained, photo, "--out", "found", "--save", "png").status == 0
    assert [file.name for file in (here / "found").glob("[!.]*")] == ["train-00001.png"]


def test_an_unknown_format_is_wrong_usage(refused: Refused, trained: Path, demo: Path) -> None:
    message = refused(2, "predict", trained, demo / "images", "--save", "png,bmp")
    choices = "jpg, png, coco, yolo, voc, labelme, csv, parquet, crops"
    assert message == f"boxmask: --save bmp: unknown format. Choose from: {choices}.\n"


def test_a_folder_with_other_files_is_accounted_for_in_one_line(
    boxmask: Callable[..., Any], tmp_path: Path, trained: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxmask.photos.formats._HEIC_READER", "absent")
    (tmp_path / "new").mkdir()
    shutil.copy(demo / "images" / "train-00001.jpg", tmp_path / "new")
    for name in ("b.HEIC", "c.mp4"):
        (tmp_path / "new" / name).touch()
    for given in (tmp_path / "new", tmp_path / "new" / "*"):
        completed = boxmask("predict", trained, given, "--min-score", "0")
        assert completed.status == 0
        assert completed.err == (
            "note: not used: 1 .heic (pip install pillow-heif to read it, or convert it to JPEG), "
            "1 .mp4 (video)\n"
        )


def test_odd_exif_tags_and_large_photos_say_nothing(
    boxmask: Callable[..., Any], tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.new("RGB", (300, 200), "gray")
    image.save(tmp_path / "odd.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01")
    image.save(tmp_path / "odd.tif", exif=b"Exif\0\0II*\0\x08\0\0\0\x00\0")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    completed = boxmask("predict", trained, tmp_path / "odd.jpg", tmp_path / "odd.tif", "--min-score", "0")
    assert (completed.status, completed.err) == (0, "")


@pytest.mark.parametrize("given", ["nowhere.jpg", "*.jpg", "."])
def test_an_input_without_photos_is_an_error(refused: Refused, trained: Path, given: str) -> None:
    assert f"boxmask: {given}: " in refused(1, "predict", trained, given)


def test_a_file_in_place_of_the_folder_is_wrong_usage(
    refused: Refused, here: Path, trained: Path, demo: Path
) -> None:
    (here / "found").write_text("mine")
    assert "found: expected a folder for the results, found a file" in refused(
        2, "predict", trained, demo / "images", "--out", "found"
    )


def test_a_missing_run_is_an_error(refused: Refused, demo: Path) -> None:
    assert "nowhere: there is no such checkpoint" in refused(1, "predict", "nowhere", demo / "images")


@pytest.mark.parametrize("kind", ["mask-rcnn", "unet", "classifier"])
@pytest.mark.parametrize("score", ["nan", "7", "-1", "1.01", "inf"])
def test_a_minimum_score_outside_0_to_1_is_wrong_usage(
    refused: Refused, here: Path, runs: Callable[[str], Path], demo: Path, kind: str, score: str
) -> None:
    message = refused(2, "predict", runs(kind), demo / "images", f"--min-score={score}")
    assert (
        message == f"boxmask: --min-score (in Python: min_score): expected 0 to 1, found {float(score):g}\n"
    )
    assert not list(here.iterdir())


def test_a_photo_of_the_users_in_the_folder_is_not_replaced(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    photo = demo / "images" / "test-00020.jpg"
    (here / "mine").mkdir()
    (here / "mine" / photo.name).write_bytes(b"another photo")
    completed = boxmask("predict", trained, photo, "--out", "mine")
    assert completed.status == 2
    assert completed.err == (
        f"boxmask: mine/{photo.name}: is not replaced, because boxmask did not write it or it was changed "
        "since. Choose another name or folder, or move the file away.\n"
    )
    assert [file.name for file in (here / "mine").iterdir()] == [photo.name]


def test_no_picture_of_an_earlier_call_stays(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    first, second = sorted((demo / "images").glob("test-*.jpg"))[:2]
    assert boxmask("predict", trained, first).status == 0
    completed = boxmask("predict", trained, second)
    assert completed.status == 0
    note, *_ = completed.err.splitlines()
    assert note == f"note: predictions: removed 1 output of an earlier call: {first.name}"
    assert sorted(file.name for file in (here / "predictions").glob("[!.]*")) == [
        "detections.json",
        second.name,
    ]


def test_a_photo_that_cannot_be_read_is_counted(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (here / name).write_bytes(b"\xff\xd8\xff no photo")
    photo = sorted((demo / "images").glob("test-*.jpg"))[0]
    completed = boxmask("predict", trained, here / "a.jpg", photo, here / "b.jpg")
    assert completed.status == 1
    assert completed.out.startswith("1 photo, ")
    assert completed.err.splitlines()[-1] == "boxmask: 2 photos left out"


def test_label_formats_are_written_with_a_trained_model(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    photos = sorted((demo / "images").glob("*.jpg"))[:2]
    assert boxmask("predict", trained, *photos, "--out", "found", "--save", "yolo,voc,csv").status == 0
    found = here / "found"
    names = (found / "yolo" / "classes.txt").read_text().splitlines()
    assert (len(names), names[0]) == (10, "eight")
    for photo in photos:
        assert (found / "yolo" / "labels" / f"{photo.stem}.txt").is_file()
        assert (found / "voc" / f"{photo.stem}.xml").is_file()
    header = (found / "detections.csv").read_text().splitlines()[0]
    assert header == "filename,width,height,class,xmin,ymin,xmax,ymax,score"


# ---------------------------------------------------------------- several passes


def test_ensembles_tiles_and_augmentation_can_be_combined(
    boxmask: Callable[..., Any], here: Path, trained: Path, runs: Callable[[str], Path], demo: Path
) -> None:
    other = runs("faster-rcnn")
    photo = demo / "images" / "train-00001.jpg"
    flags = ("--tiles", "60", "--tile-overlap", "0.5", "--tta", "--tta-scales", "1", "2", "--with", other)
    completed = boxmask("predict", trained, photo, "--save", "coco", *flags)
    assert completed.status == 0
    written = json.loads((here / "predictions" / "detections.json").read_text())
    model = verbs.load([trained, other], tiles=60, tile_overlap=0.5, tta=True, tta_scales=[1, 2])
    found = model.predict(photo)
    assert len(found) == len(written["annotations"])
    options: Any = {"tiles": 60, "tile_overlap": 0.5, "tta": True, "tta_scales": (1.0, 2.0)}
    assert verbs.predict([trained, other], photo, "python", save="coco", **options).results == [found]


def test_classes_of_an_ensemble_can_be_chosen(boxmask: Callable[..., Any], trained: Path, demo: Path) -> None:
    photo = demo / "images" / "train-00001.jpg"
    completed = boxmask("predict", trained, photo, "--with", trained, "--classes", "seven")
    assert completed.status == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--tiles", "8"), 'boxmask: --tiles: expected "auto" or a side of at least 32 pixels, found 8\n'),
        (
            ("--tile-overlap", "1"),
            "boxmask: --tile-overlap (in Python: tile_overlap): expected a fraction of the tile, 0 to 0.9, "
            "found 1\n",
        ),
        (("--every", "2"), "boxmask: --every is for videos. Leave it out.\n"),
        (("--no-track",), "boxmask: --no-track (in Python: track=False) is for videos. Leave it out.\n"),
        (
            ("--tta", "--min-score", "auto"),
            'boxmask: --min-score auto (in Python: min_score="auto") does not work with --tta or '
            "--with: its scores were chosen for a single run. Give a number, for example 0.3.\n",
        ),
    ],
)
def test_passes_out_of_range_are_wrong_usage(
    refused: Refused, trained: Path, demo: Path, flags: tuple[str, ...], message: str
) -> None:
    assert refused(2, "predict", trained, demo / "images", *flags) == message


def test_an_interrupted_ensemble_is_continued_with_the_same_runs_only(
    boxmask: Callable[..., Any], refused: Refused, trained: Path, runs: Callable[[str], Path], demo: Path
) -> None:
    photo = demo / "images" / "train-00001.jpg"
    assert boxmask("predict", trained, photo, "--with", trained).status == 0
    assert boxmask("predict", trained, photo, "--with", trained, "--resume").status == 0
    message = refused(2, "predict", trained, photo, "--with", runs("faster-rcnn"), "--resume")
    assert "cannot continue: the earlier call used other runs in --with" in message
