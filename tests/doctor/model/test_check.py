"""The report of a check with a model, on generated scenes with damaged labels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxmask.data.class_selection import ClassSelection
from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Finding
from boxmask.data.split_file import write_split_file
from boxmask.doctor.check import check_data
from boxmask.doctor.model.check import check_with_model
from boxmask.doctor.model.trained_model import TrainedModel
from boxmask.doctor.report import CheckReport
from boxmask.errors import UsageError

Detect = Callable[..., TrainedModel]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture
def copy(boxes_only: Path, tmp_path: Path) -> Path:
    """A data set to damage."""
    return Path(shutil.copytree(boxes_only, tmp_path / "data"))


def truth(folder: Path, score: float = 0.8) -> dict[Path, list[Any]]:
    """What a model without mistakes finds: scores from `score` − 0.05 to `score` + 0.05."""
    dataset, random = read_detection(folder), np.random.default_rng(0)
    found: dict[Path, list[Any]] = {}
    for photo in range(len(dataset)):
        rows = dataset.rows(photo)
        found[dataset.path(photo)] = [
            (dataset.class_names[label], tuple(box), score + random.uniform(-0.05, 0.05))
            for box, label in zip(dataset.boxes[rows].tolist(), dataset.labels[rows].tolist(), strict=True)
        ]
    return found


def edit(folder: Path, change: Callable[[dict[str, Any]], None], split: str = "train") -> None:
    file = folder / f"instances_{split}.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document, indent=1))


def check(folder: Path, trained: TrainedModel) -> CheckReport:
    return check_with_model(check_data(folder, labels_only=True), trained)


def findings_of(report: CheckReport, kind: str) -> list[Finding]:
    return [finding for finding in report if finding.kind.id == kind]


def only(findings: list[Finding]) -> Finding:
    [finding] = findings
    return finding


def kinds(report: CheckReport) -> set[str]:
    return {kind.id for kind in report.kinds() if kind.id.startswith("model-")}


MODEL_KINDS = {"model-missing-label", "model-wrong-class", "model-bad-box"}


def sure(objects: list[Any], index: int, score: float = 0.99) -> None:
    objects[index] = (*objects[index][:2], score)


def test_sound_labels(boxes_only: Path, detect: Detect) -> None:
    report = check(boxes_only, detect(DIGITS, truth(boxes_only)))
    assert not kinds(report) & MODEL_KINDS


def test_a_removed_label_is_found(copy: Path, detect: Detect) -> None:
    found = truth(copy)
    name, box, _ = found[copy / "images/train-00001.jpg"][0]
    sure(found[copy / "images/train-00001.jpg"], 0)

    def remove(document: dict[str, Any]) -> None:
        first = next(row for row in document["annotations"] if row["image_id"] == 1)
        document["annotations"].remove(first)

    edit(copy, remove)
    finding = only(findings_of(check(copy, detect(DIGITS, found)), "model-missing-label"))
    assert finding.photo == "images/train-00001.jpg"
    assert finding.box is None
    assert finding.detection is not None
    assert finding.detection.name == name
    assert finding.detection.box == pytest.approx(box)
    assert finding.detail == f"{name} in images/train-00001.jpg has no label: score 0.99"
    assert finding.location.file.endswith("instances_train.json")


def test_an_exchanged_class_is_found(copy: Path, detect: Detect) -> None:
    found = truth(copy)

    def exchange(document: dict[str, Any]) -> None:
        annotation = document["annotations"][0]
        annotation["category_id"] = (annotation["category_id"] + 1) % 10

    edit(copy, exchange)
    finding = only(findings_of(check(copy, detect(DIGITS, found)), "model-wrong-class"))
    assert finding.location.entry.startswith("annotations[0]")
    assert finding.box == pytest.approx(finding.detection.box if finding.detection else None)
    assert " is probably " in finding.detail


def test_a_moved_box_is_found(copy: Path, detect: Detect) -> None:
    found = truth(copy)

    def move(document: dict[str, Any]) -> None:
        box = document["annotations"][0]["bbox"]
        box[0] += (1 if box[0] < 60 else -1) * box[2] * 0.3

    edit(copy, move)
    finding = only(findings_of(check(copy, detect(DIGITS, found)), "model-bad-box"))
    assert finding.location.entry.startswith("annotations[0]")
    assert "IoU 0.5" in finding.detail
    assert finding.detection is not None
    assert finding.box != finding.detection.box


def test_low_scores_accuse_as_high_ones(copy: Path, detect: Detect) -> None:
    found = truth(copy, score=0.2)

    def remove(document: dict[str, Any]) -> None:
        document["annotations"] = [row for row in document["annotations"] if row["image_id"] != 1]

    for index in range(len(found[copy / "images/train-00001.jpg"])):
        sure(found[copy / "images/train-00001.jpg"], index, 0.3 - index / 100)
    edit(copy, remove)
    report = check(copy, detect(DIGITS, found))
    scores = [finding.detection.score for finding in findings_of(report, "model-missing-label")]  # type: ignore[union-attr]
    assert len(scores) == len(found[copy / "images/train-00001.jpg"])


def test_the_surest_comes_first(copy: Path, detect: Detect) -> None:
    found = truth(copy)
    objects = found[copy / "images/train-00001.jpg"]
    for index in range(len(objects)):
        sure(objects, index, 0.9 + index / 100)
    edit(copy, lambda document: document.update(annotations=document["annotations"][len(objects) * 2 :]))
    report = check(copy, detect(DIGITS, found))
    scores = [round(one.detection.score, 2) for one in findings_of(report, "model-missing-label")]  # type: ignore[union-attr]
    assert scores[: len(objects)] == sorted(scores[: len(objects)], reverse=True)


def test_unsure_detections_accuse_nothing(copy: Path, detect: Detect) -> None:
    found = truth(copy)
    for objects in found.values():
        objects.append(("one", (0.0, 0.0, 8.0, 8.0), 0.3))
    assert not findings_of(check(copy, detect(DIGITS, found)), "model-missing-label")


def test_photos_that_cannot_be_read_are_left_out(copy: Path, detect: Detect) -> None:
    trained = detect(DIGITS, truth(copy))
    (copy / "images/train-00001.jpg").write_bytes(b"no photo")
    (copy / "images/train-00002.jpg").unlink()
    assert not kinds(check(copy, trained)) & MODEL_KINDS


def test_classes_that_the_model_does_not_know_are_named(boxes_only: Path, detect: Detect) -> None:
    found = {
        path: [one for one in objects if one[0] in DIGITS[:9]] for path, objects in truth(boxes_only).items()
    }
    report = check(boxes_only, detect(DIGITS[:9], found))
    assert only(findings_of(report, "model-class-unknown")).detail == "nine: its labels are not checked"
    assert not kinds(report) & MODEL_KINDS


def test_classes_that_are_hardly_found_are_named(boxes_only: Path, detect: Detect) -> None:
    found = {
        path: [one for one in objects if one[0] != "four"] for path, objects in truth(boxes_only).items()
    }
    details = [f.detail for f in findings_of(check(boxes_only, detect(DIGITS, found)), "model-class-unsure")]
    assert "four: too few of its objects are found to accuse any label" in details


def test_names_of_the_training_are_used(copy: Path, detect: Detect) -> None:
    found = {
        path: [("digit", box, score) for _, box, score in objects] for path, objects in truth(copy).items()
    }
    renames = tuple(f"{name}=digit" for name in DIGITS)
    trained = replace(detect(("digit",), found), selection=ClassSelection(None, renames, strict=False))
    report = check(copy, trained)
    assert not kinds(report) & (MODEL_KINDS | {"model-class-unknown"})


def test_the_split_of_the_run_is_named(copy: Path, detect: Detect) -> None:
    trained = detect(DIGITS, {path: [] for path in truth(copy)})
    trained.path.mkdir()
    write_split_file(read_detection(copy), trained.path / "split.json")
    report = check(copy, trained)
    note = only(findings_of(report, "model-seen-photos"))
    assert note.detail == "18 of 24 photos are in train, 2 in val, 4 in test"
    assert "model-split-unknown" not in kinds(report)


def test_findings_name_the_split_of_their_photo(copy: Path, detect: Detect) -> None:
    found = truth(copy)
    trained = detect(DIGITS, found)
    trained.path.mkdir()
    write_split_file(read_detection(copy), trained.path / "split.json")
    photo = copy / "images/test-00020.jpg"
    edit(copy, lambda document: document.update(annotations=[]), "test")
    details = [finding.detail for finding in findings_of(check(copy, trained), "model-missing-label")]
    assert details
    assert all("(test photo)" in detail for detail in details), photo


def test_a_run_without_split_file_is_said(boxes_only: Path, detect: Detect) -> None:
    assert "model-split-unknown" in kinds(check(boxes_only, detect(DIGITS, truth(boxes_only))))


def test_wrong_coordinates_are_corrected_first(copy: Path, detect: Detect) -> None:
    trained = detect(DIGITS, truth(copy))

    def to_fractions(document: dict[str, Any]) -> None:
        for row in document["annotations"]:
            row["bbox"] = [value / 200 for value in row["bbox"]]

    for split in ("train", "val", "test"):
        edit(copy, to_fractions, split)
    report = check(copy, trained)
    assert kinds(report) == {"model-unused"}


def test_a_report_without_labels_stays_as_it_is(tmp_path: Path, detect: Detect) -> None:
    (tmp_path / "empty").mkdir()
    report = check_data(tmp_path / "empty", labels_only=True)
    assert check_with_model(report, detect(DIGITS, {})) is report


# ---------------------------------------------------------------- classifiers


@pytest.fixture
def folders(tmp_path: Path, scene: Callable[..., Any]) -> Path:
    """Ten photos of cats and ten of dogs."""
    for seed in range(20):
        folder = tmp_path / "pets" / ("cat", "dog")[seed % 2]
        folder.mkdir(parents=True, exist_ok=True)
        scene(seed, (32, 24)).save(folder / f"{seed:02d}.png")
    return tmp_path / "pets"


def scores_of(folders: Path) -> dict[Path, tuple[float, float]]:
    return {
        path: ((0.8, 0.2) if path.parent.name == "cat" else (0.2, 0.8)) for path in folders.glob("*/*.png")
    }


def test_a_photo_in_the_wrong_folder_is_found(folders: Path, classify: Detect) -> None:
    scores = scores_of(folders)
    scores[folders / "cat" / "04.png"] = (0.05, 0.95)
    scores[folders / "cat" / "06.png"] = (0.45, 0.55)  # unsure
    report = check(folders, classify(("cat", "dog"), scores))
    finding = only(findings_of(report, "model-wrong-class"))
    assert finding.photo == "cat/04.png"
    assert finding.detail == "cat in cat/04.png is probably dog: score 0.95 against 0.05"
    assert finding.box is None
    detection = finding.detection
    assert detection is not None
    assert (detection.name, detection.box) == ("dog", None)


def test_a_detector_does_not_fit_class_folders(folders: Path, detect: Detect) -> None:
    with pytest.raises(UsageError, match=r"has class folders\. Give the run of a classifier"):
        check(folders, detect(("cat",), {}))


def test_a_classifier_does_not_fit_boxes(boxes_only: Path, classify: Detect) -> None:
    with pytest.raises(UsageError, match=r"has labeled objects\. Give the run of a detector"):
        check(boxes_only, classify(("cat",), {}))
