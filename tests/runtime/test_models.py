"""Exported models predict as trained ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import boxmask
from boxmask.errors import CheckpointError, PhotoError, UsageError
from boxmask.runtime.load import load_onnx
from boxmask.runtime.models import ExportedClassifier, ExportedDetector, ExportedSegmenter
from boxmask.types import Classification, Detections, SegmentationMap


def test_a_detector(write: Any, photo: Path) -> None:
    detector = boxmask.load(write())
    assert isinstance(detector, ExportedDetector)
    assert (detector.class_names, detector.name, detector.config.shorter_side) == (("cat", "dog"), "ssd", 320)
    assert repr(detector) == f"ExportedDetector(ssd with 2 classes, {str(detector.path)!r})"
    found = detector.predict(photo)
    assert isinstance(found, Detections)
    assert (found.names, found.size, found.photo, found.masks) == (["dog"], (4, 6), photo, None)
    assert found.boxes.tolist() == [[0, 0, 6, 4]]
    assert found.scores.tolist() == [0.5]


def test_a_detector_with_masks(write: Any, photo: Path) -> None:
    found = load_onnx(write(masks=True)).predict(photo)
    assert found.masks is not None
    assert found.masks.windows.tolist() == [[0, 0, 3, 4]]
    assert found.masks.areas().tolist() == [12]


def test_a_segmenter(write: Any, photo: Path) -> None:
    segmenter = load_onnx(write("segmentation"))
    assert isinstance(segmenter, ExportedSegmenter)
    found = segmenter.predict(str(photo))
    assert isinstance(found, SegmentationMap)
    assert found.labels.tolist() == [[1, 1, 1, 0, 0, 0]] * 4
    assert found.photo == str(photo)


def test_a_classifier(write: Any, photo: Path) -> None:
    classifier = load_onnx(write("classification"))
    assert isinstance(classifier, ExportedClassifier)
    found = classifier.predict(photo)
    assert found == Classification(np.array([0.5, 0.5], dtype=np.float32), ("cat", "dog"))


def test_all_forms_of_photos_give_the_same(write: Any, photo: Path) -> None:
    detector, image = load_onnx(write()), Image.open(photo)
    pixels = np.array(image)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    expected = detector.predict(photo)
    forms = [str(photo), image, pixels, pixels / 255, tensor, tensor / 255, pixels[..., 0], tensor[:1]]
    found = detector.predict(forms)
    assert found == [expected] * len(forms)
    assert [each.photo for each in found] == [str(photo), image, None, None, None, None, None, None]
    assert detector.predict([]) == []
    assert detector.predict((pixels,)) == [expected]
    with pytest.raises(PhotoError, match="expected a path, PIL image, array or tensor, found int"):
        detector.predict(3)
    with pytest.raises(PhotoError, match=r"no\.jpg: this photo does not exist"):
        detector.predict(photo.with_name("no.jpg"))


def test_proposals_are_passed_on(write: Any, photo: Path) -> None:
    detector = load_onnx(write(proposals=True, model="fast-rcnn"))
    with pytest.raises(UsageError, match="fast-rcnn needs proposals: boxes that may contain an object"):
        detector.predict(photo)
    assert len(detector.predict(photo, proposals=np.array([[0, 0, 3, 3]]))) == 1
    assert len(detector.predict([photo], proposals=[torch.zeros(0, 4)])) == 1
    assert len(detector.predict(photo, proposals=[])) == 1
    for wrong in (np.zeros((4, 8)), np.zeros(4), np.array([[0, 0, np.nan, 3]])):
        with pytest.raises(UsageError, match=r"proposals: expected finite boxes \(P, 4\), found an array"):
            detector.predict(photo, proposals=wrong)
    with pytest.raises(UsageError, match="expected one array per photo, found 2 for 1"):
        detector.predict([photo], proposals=[np.zeros((1, 4))] * 2)
    seen = []
    detector.propose = lambda pixels: seen.append(pixels.shape) or np.array([[0, 0, 3, 3]])
    assert len(detector.predict(photo)) == 1
    assert seen == [(4, 6, 3)]


def test_threads_and_devices(write: Any, photo: Path) -> None:
    file = write()
    assert len(boxmask.load(file, "cpu", threads=1).predict(photo)) == 1
    with pytest.raises(UsageError, match="--threads: expected 1 or more, found 0"):
        load_onnx(file, threads=0)
    with pytest.raises(UsageError, match=r"--device cuda:1: this ONNX Runtime has no CUDA"):
        load_onnx(file, "cuda:1")
    with pytest.raises(UsageError, match="expected auto, cpu, cuda"):
        load_onnx(file, "tpu")
    with pytest.raises(UsageError, match="threads works for a single ONNX file only"):
        boxmask.load(photo, threads=2)


@pytest.mark.parametrize(
    ("output", "value", "says"),
    [
        ("counts", np.array([2]), r"counts: expected \[1\], found \[2\]"),
        ("labels", np.array([2]), r"labels: expected 0\.\.1, found \(2, 2\)"),
        ("boxes", np.zeros((2, 4), np.float32), "counts: expected"),
        ("scores", np.zeros(3, np.float32), r"scores: expected float32 \(1\), found float32 \(3,\)"),
        ("masks", np.zeros((1, 5, 6), bool), "masks: expected"),
        ("scores", np.array([np.nan], np.float32), r"scores: expected 0 to 1, found \[nan\]"),
        ("scores", np.array([7], np.float32), "scores: expected 0 to 1"),
        ("scores", np.array([-0.1], np.float32), "scores: expected 0 to 1"),
        (
            "boxes",
            np.array([[0, 0, 7, 4]], np.float32),
            r"boxes: .* in a photo of 6x4, found \[0.0, 0.0, 7.0",
        ),
        ("boxes", np.array([[-50, 0, 5, 4]], np.float32), "boxes: expected"),
        ("boxes", np.array([[3, 0, 2, 4]], np.float32), "boxes: expected"),
        ("boxes", np.array([[0, 0, np.nan, 4]], np.float32), "boxes: expected"),
    ],
)
def test_results_that_cannot_be(
    write: Any, photo: Path, output: str, value: np.ndarray, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = load_onnx(write(masks=True))
    run = detector._session.run
    monkeypatch.setattr(detector._session, "run", lambda *inputs: run(*inputs) | {output: value})
    with pytest.raises(CheckpointError, match=rf"model\.onnx: this file returned an invalid result \({says}"):
        detector.predict(photo)


def test_the_highest_score_comes_first(write: Any, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = load_onnx(write())
    objects = {
        "boxes": np.zeros((2, 4), np.float32),
        "scores": np.array([0.3, 0.4], np.float32),
        "labels": np.array([0, 0]),
        "counts": np.array([2]),
    }
    monkeypatch.setattr(detector._session, "run", lambda *inputs: objects)
    with pytest.raises(CheckpointError, match="expected the highest first"):
        detector.predict(photo)
