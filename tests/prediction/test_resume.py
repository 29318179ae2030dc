from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.atomic_write import output_error
from boxmask.errors import DiskFullError, OutputError, PhotoError, UsageError
from boxmask.masks import Masks
from boxmask.prediction.journal import JOURNAL, Journal
from boxmask.prediction.predict import Prediction, predict_photos
from boxmask.results import detections as detections_module
from boxmask.results.pictures import save_picture
from boxmask.tasks.classification.writer import ClassificationWriter
from boxmask.tasks.detection.writer import DetectionWriter
from boxmask.tasks.segmentation.writer import SegmentationWriter
from boxmask.types import Classification, Detections, SegmentationMap

SAVE = ("jpg", "coco", "csv", "parquet", "yolo", "labelme", "crops", "label-maps")
NAMES = ("cat", "dog")


class Stopped(BaseException):
    """As KeyboardInterrupt, which would end the test run if it escaped."""


class Detector:
    """Finds two objects, whose scores follow from the photo. Stops at the photo with the number `stop_at`."""

    def __init__(self, stop_at: int = 0) -> None:
        self.calls, self.stop_at = 0, stop_at

    def predict(self, photo: np.ndarray) -> Detections:
        self.calls += 1
        if self.calls == self.stop_at:
            raise Stopped
        height, width = photo.shape[:2]
        dense = np.zeros((2, height, width), dtype=bool)
        dense[0, 2:9, 1:8], dense[1, 5:20, 10:30] = True, True
        masks = Masks.from_dense(dense)
        boxes = masks.boxes() + np.float32(1 / 3)
        scores = np.array([float(photo.mean()) / 256 / 2 + 0.5, 0.1], dtype=np.float32)
        return Detections(boxes, scores, np.array([1, 0]), NAMES, (height, width), masks)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos of different grays."""
    (tmp_path / "photos").mkdir()
    for number in range(5):
        photo(tmp_path / "photos" / f"{number}.png", number)
    return tmp_path / "photos"


def photo(file: Path, number: int) -> None:
    Image.new("RGB", (40 + number, 30), (40 * number, 30, 20)).save(file)


def predict(model: Any, photos: Path, out: Path, resume: bool = True, **settings: Any) -> Prediction:
    writer = DetectionWriter(out, SAVE, 0.5, masks=True, class_names=NAMES)
    return predict_photos(model, [photos], out, writer, settings=settings, resume=resume)


def contents(folder: Path) -> dict[str, bytes]:
    """The visible files below a folder."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(files)}


def interrupt(photos: Path, out: Path, stop_at: int = 4) -> None:
    with pytest.raises(Stopped):
        predict(Detector(stop_at), photos, out)


# ---------------------------------------------------------------- going on


def test_a_resumed_job_writes_the_same_as_one_without_interruption(photos: Path, tmp_path: Path) -> None:
    interrupt(photos, tmp_path / "a" / "out")
    assert "detections.json" not in contents(tmp_path / "a" / "out")
    model = Detector()
    resumed = predict(model, photos, tmp_path / "a" / "out")
    whole = predict(Detector(), photos, tmp_path / "b" / "out", resume=False)
    assert 2 <= model.calls < 5
    assert contents(tmp_path / "a" / "out") == contents(tmp_path / "b" / "out")
    assert resumed.photos == whole.photos
    assert resumed.results == whole.results
    assert resumed.summary == whole.summary
    assert [file.name for file in resumed.files] == [file.name for file in whole.files]
    assert resumed.notes == ()


def test_a_finished_job_has_nothing_left_to_do(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out")
    before = contents(tmp_path / "out")
    model, calls = Detector(), []
    writer = DetectionWriter(tmp_path / "out", SAVE, 0.5, masks=True, class_names=NAMES)
    predict_photos(
        model, [photos], tmp_path / "out", writer, lambda *done: calls.append(done), settings={}, resume=True
    )
    assert model.calls == 0
    assert contents(tmp_path / "out") == before
    assert calls == [(number, 5) for number in range(1, 6)]


def test_without_resume_all_photos_are_predicted_again(photos: Path, tmp_path: Path) -> None:
    interrupt(photos, tmp_path / "out")
    model = Detector()
    predict(model, photos, tmp_path / "out", resume=False)
    assert model.calls == 5


def test_new_changed_and_removed_photos_are_noticed(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out")
    photo(photos / "5.png", 5)
    photo(photos / "1.png", 7)
    (photos / "2.png").unlink()
    model = Detector()
    resumed = predict(model, photos, tmp_path / "out")
    assert model.calls == 2
    assert [each.stem for each in resumed.photos] == ["0", "1", "3", "4", "5"]
    predict(Detector(), photos, tmp_path / "again", resume=False)
    assert contents(tmp_path / "out") == contents(tmp_path / "again")
    (note,) = resumed.notes
    assert "removed 5 outputs of an earlier call: 2.jpg, crops/dog/2-1.jpg" in note


@pytest.mark.parametrize("name", ["1.jpg", "labelme/1.json", "crops/dog/1-1.jpg"])
def test_a_photo_whose_file_is_missing_is_predicted_again(photos: Path, tmp_path: Path, name: str) -> None:
    predict(Detector(), photos, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / name).unlink()
    model = Detector()
    predict(model, photos, tmp_path / "out")
    assert model.calls == 1
    assert contents(tmp_path / "out") == before


def test_a_corrected_file_is_never_replaced(photos: Path, tmp_path: Path) -> None:
    interrupt(photos, tmp_path / "out")
    (tmp_path / "out" / "labelme" / "0.json").write_text("corrected")
    with pytest.raises(UsageError, match=r"labelme/0\.json: is not replaced"):
        predict(Detector(), photos, tmp_path / "out")
    assert (tmp_path / "out" / "labelme" / "0.json").read_text() == "corrected"


def test_what_a_killed_call_left_is_removed(photos: Path, tmp_path: Path) -> None:
    interrupt(photos, tmp_path / "out")
    for folder in (tmp_path / "out", tmp_path / "out" / "labelme"):
        (folder / ".boxmask-abc.partial").mkdir()
    predict(Detector(), photos, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_a_photo_with_an_error_is_tried_again(photos: Path, tmp_path: Path) -> None:
    whole = (photos / "1.png").read_bytes()
    (photos / "1.png").write_bytes(whole[:-60])
    assert len(predict(Detector(), photos, tmp_path / "out").errors) == 1
    (photos / "1.png").write_bytes(whole)
    model = Detector()
    assert predict(model, photos, tmp_path / "out").errors == []
    assert model.calls == 1


# ---------------------------------------------------------------- the journal


def test_other_settings_are_an_error_that_changes_nothing(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out", min_score=0.5, classes=None, weights="abc")
    before = contents(tmp_path / "out")
    with pytest.raises(
        UsageError, match=r"earlier call used --min-score 0\.5, and this one uses --min-score"
    ):
        predict(Detector(), photos, tmp_path / "out", min_score=0.3, classes=None, weights="abc")
    with pytest.raises(
        UsageError, match=r"used no --classes, and this one uses --classes cat dog\. Use the same"
    ):
        predict(Detector(), photos, tmp_path / "out", min_score=0.5, classes=NAMES, weights="abc")
    with pytest.raises(UsageError, match="used --weights abc, and this one uses --weights xyz"):
        predict(Detector(), photos, tmp_path / "out", min_score=0.5, classes=None, weights="xyz")
    assert contents(tmp_path / "out") == before


def test_entries_without_settings_do_not_count(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out", weights="abc")
    journal = tmp_path / "out" / JOURNAL
    settings, rest = journal.read_bytes().split(b"\n", 1)
    journal.write_bytes(settings[:10] + b"\n" + rest)
    model = Detector()
    predict(model, photos, tmp_path / "out", weights="xyz")
    assert model.calls == 5


def test_the_results_of_another_version_are_not_continued(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out")
    with pytest.raises(
        UsageError, match=r"used an earlier version of boxmask, and this one uses version 2\.0"
    ):
        predict(Detector(), photos, tmp_path / "out", version="2.0")


def test_a_photo_that_changes_after_it_was_read_is_predicted_again(photos: Path, tmp_path: Path) -> None:
    class Late(Detector):
        def predict(self, pixels: np.ndarray) -> Detections:
            if self.calls == 0:
                photo(photos / "0.png", 6)
            return super().predict(pixels)

    predict(Late(), photos, tmp_path / "out")
    model = Detector()
    resumed = predict(model, photos, tmp_path / "out")
    assert model.calls == 1
    assert (
        resumed.results[0].scores[0] == Detector().predict(np.array(Image.open(photos / "0.png"))).scores[0]
    )


@pytest.mark.parametrize("is_full", [False, True])
def test_a_journal_that_cannot_be_written(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    def fail(journal: Journal, *arguments: Any) -> None:
        error = OSError(errno.ENOSPC if is_full else errno.EIO, "failed")
        raise output_error(journal.folder / JOURNAL, error)

    monkeypatch.setattr(Journal, "add", fail)
    if is_full:
        with pytest.raises(DiskFullError):
            predict(Detector(), photos, tmp_path / "out")
        assert [name for name in contents(tmp_path / "out") if "/" not in name] == ["0.jpg"]
        return
    prediction = predict(Detector(), photos, tmp_path / "out")
    assert len(prediction.photos) == len(prediction.results) == len(prediction.errors) == 5


def test_a_line_that_was_cut_off_is_predicted_again(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out")
    before = contents(tmp_path / "out")
    journal = tmp_path / "out" / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-40])
    model = Detector()
    predict(model, photos, tmp_path / "out")
    assert model.calls == 1
    assert contents(tmp_path / "out") == before


def test_a_damaged_entry_is_an_error(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out")
    journal = tmp_path / "out" / JOURNAL
    journal.write_text(journal.read_text().replace('"labels":[1,0]', '"labels":[1,9]'))
    with pytest.raises(OutputError, match=r"results\.jsonl: this file is damaged\. Leave out --resume"):
        predict(Detector(), photos, tmp_path / "out")


def test_a_journal_cannot_lead_out_of_its_folder(photos: Path, tmp_path: Path) -> None:
    predict(Detector(), photos, tmp_path / "out")
    journal = tmp_path / "out" / JOURNAL
    journal.write_text(journal.read_text().replace('"0.jpg"', json.dumps("../photos/0.png")))
    model = Detector()
    predict(model, photos, tmp_path / "out")
    assert model.calls == 1


def test_a_full_disk_stops_the_job_and_it_can_go_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(picture: np.ndarray, file: Path) -> None:
        if file.stem == "2":
            raise output_error(file, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        save_picture(picture, file)

    monkeypatch.setattr(detections_module, "save_picture", save)
    with pytest.raises(DiskFullError):
        predict(Detector(), photos, tmp_path / "out")
    assert [name for name in contents(tmp_path / "out") if "/" not in name] == ["0.jpg", "1.jpg"]
    monkeypatch.undo()
    model = Detector()
    predict(model, photos, tmp_path / "out")
    assert model.calls == 3


# ---------------------------------------------------------------- segmenters and classifiers


class Segmenter:
    def predict(self, photo: np.ndarray) -> SegmentationMap:
        labels = np.zeros(photo.shape[:2], dtype=np.uint8)
        labels[: photo.shape[1] - 35] = 1
        return SegmentationMap(labels, NAMES)


class Classifier:
    def predict(self, photo: np.ndarray) -> Classification:
        share = np.float32(photo.mean() / 256)
        return Classification(np.array([share, 1 - share]), NAMES)


@pytest.mark.parametrize(
    ("model", "writer"),
    [
        (Segmenter(), lambda out: SegmentationWriter(out, None, NAMES)),
        (Classifier(), lambda out: ClassificationWriter(out, None, NAMES)),
    ],
)
def test_other_models_resume_as_well(
    photos: Path, tmp_path: Path, model: Any, writer: Callable[[Path], Any]
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    few = [photos / "0.png", photos / "3.png"]
    predict_photos(model, few, out, writer(out))
    resumed = predict_photos(model, [photos], out, writer(out), resume=True)
    expected = predict_photos(model, [photos], whole, writer(whole))
    assert contents(out) == contents(whole)
    assert resumed.results == expected.results
    unchanged = predict_photos(model, [photos], out, writer(out), resume=True)
    assert contents(out) == contents(whole)
    assert unchanged.results == expected.results


# ---------------------------------------------------------------- reading ahead


def test_few_photos_are_decoded_at_a_time(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxmask.prediction import photo_by_photo

    for number in range(5, 40):
        photo(photos / f"{number}.png", 1)
    decoded = [0]
    load = photo_by_photo.load_photo

    def counted(file: Path) -> np.ndarray:
        decoded[0] += 1
        return load(file)

    class Watching(Detector):
        def predict(self, photo: np.ndarray) -> Detections:
            assert decoded[0] <= self.calls + 1 + photo_by_photo.READERS
            return super().predict(photo)

    monkeypatch.setattr(photo_by_photo, "load_photo", counted)
    assert len(predict(Watching(), photos, tmp_path / "out").photos) == 40


def test_errors_are_in_the_order_of_the_photos(photos: Path, tmp_path: Path) -> None:
    class Refusing(Detector):
        def predict(self, photo: np.ndarray) -> Detections:
            if photo.shape[1] == 42:
                raise PhotoError("2.png: too small")
            return super().predict(photo)

    for name in ("1.png", "4.png"):
        (photos / name).write_bytes(b"no photo")
    prediction = predict(Refusing(), photos, tmp_path / "out")
    assert [error.split(":")[0].rsplit("/")[-1] for error in prediction.errors] == ["1.png", "2.png", "4.png"]
