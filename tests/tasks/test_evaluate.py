"""The verb `evaluate_detector` for every kind of model: which labels, which figures, which pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boxmask.tasks.evaluate import LabelOptions, evaluate_model, read_split
from rich.console import Console

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError, UsageError
from boxmask.evaluation.classification.evaluate import evaluate_classifier
from boxmask.evaluation.detection.evaluate import evaluate_detector
from boxmask.evaluation.segmentation.evaluate import evaluate_segmenter
from boxmask.weights.checkpoint import load_model

Runs = Callable[[str], Path]

KINDS: dict[str, tuple[type, Callable[..., Any], str]] = {
    "mask-rcnn": (DetectionDataset, evaluate_detector, "mask AP"),
    "unet": (SegmentationDataset, evaluate_segmenter, "mIoU"),
    "tiles": (SegmentationDataset, evaluate_segmenter, "mIoU"),
    "classifier": (ClassificationDataset, evaluate_classifier, "accuracy"),
}


def labeled(runs: Runs, kind: str, data: Path, split: str = "test", **reading: Any) -> Any:
    model = load_model(runs(kind))
    return read_split(model, runs(kind), data, split, LabelOptions(**reading))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_those_of_the_kind_of_model(runs: Runs, demo: Path, kind: str) -> None:
    tests = labeled(runs, kind, demo)
    assert isinstance(tests, KINDS[kind][0])
    assert len(set(tests.files.tolist())) == 4
    assert len(set(labeled(runs, kind, demo, "all").files.tolist())) == 24


@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_the_evaluations(runs: Runs, demo: Path, kind: str) -> None:
    model, tests = load_model(runs(kind)), labeled(runs, kind, demo)
    told: list[tuple[int, int]] = []
    judged = evaluate_model(model, tests, progress=lambda done, of: told.append((done, of)))
    assert judged.evaluation.to_dict() == KINDS[kind][1](model, tests).to_dict()
    assert told == [(done, len(tests)) for done in range(1, len(tests) + 1)]
    terminal = StringIO()
    Console(width=120, file=terminal).print(judged.table)
    assert KINDS[kind][2] in terminal.getvalue()


@pytest.mark.parametrize("kind", ["mask-rcnn", "tiles"])
def test_pictures_of_every_photo(runs: Runs, demo: Path, kind: str, tmp_path: Path) -> None:
    tests = labeled(runs, kind, demo).subset(np.array([0, 1]))
    evaluate_model(load_model(runs(kind)), tests, pictures=tmp_path / "pictures")
    names = sorted(picture.stem for picture in (tmp_path / "pictures").iterdir())
    assert names == sorted(Path(file).stem for file in tests.files.tolist())


def test_pictures_of_a_classifiers_mistakes(runs: Runs, demo: Path, tmp_path: Path) -> None:
    judged = evaluate_model(
        load_model(runs("classifier")), labeled(runs, "classifier", demo), pictures=tmp_path
    )
    assert judged.evaluation.mistakes()
    assert [picture.name for picture in tmp_path.iterdir()] == ["mistakes.jpg"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_the_model_does_not_know(runs: Runs, demo: Path, kind: str, tmp_path: Path) -> None:
    tests = labeled(runs, kind, demo)
    names = tuple(name.replace("four", "vier") for name in tests.class_names)
    photos = {"photos": replace(tests.photos, class_names=names)} if kind == "classifier" else {}
    strange = replace(tests, **(photos or {"class_names": names}))
    with pytest.raises(LabelError, match='"vier"') as caught:
        evaluate_model(load_model(runs(kind)), strange, pictures=tmp_path / "pictures")
    assert "--on-unseen-classes skip" in str(caught.value)
    assert not (tmp_path / "pictures").exists()
    judged = evaluate_model(load_model(runs(kind)), strange, "skip")
    assert any('"vier"' in note for note in judged.evaluation.notes)


@pytest.mark.parametrize("reading", [{"classes_file": Path("c.txt")}, {"on_unknown_colors": "skip"}])
@pytest.mark.parametrize("kind", ["mask-rcnn", "classifier"])
def test_colors_are_for_segmenters(runs: Runs, demo: Path, kind: str, reading: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"are for segmenters, and .* is none"):
        labeled(runs, kind, demo, **reading)


def test_label_images_without_a_classes_file(runs: Runs, label_maps: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"classes\.txt"):
        labeled(runs, "unet", label_maps)
    (tmp_path / "mine.txt").write_text("background\none\n")
    tests = labeled(runs, "unet", label_maps, classes_file=tmp_path / "mine.txt")
    assert len(tests) == 4
    judged = evaluate_model(load_model(runs("unet")), tests).evaluation
    assert set(judged.to_dict()["per_class"]) == {"background", "one"}
    (tmp_path / "part.txt").write_text("background,0\n")
    with pytest.raises(LabelError, match="--on-unknown-colors skip"):
        labeled(runs, "unet", label_maps, classes_file=tmp_path / "part.txt")
    some = labeled(runs, "unet", label_maps, classes_file=tmp_path / "part.txt", on_unknown_colors="skip")
    assert some.class_names == ("background",)


def test_a_detector_is_judged_by_boxes_where_there_are_no_outlines(runs: Runs, boxes_only: Path) -> None:
    tests = labeled(runs, "mask-rcnn", boxes_only)
    figures = evaluate_model(load_model(runs("mask-rcnn")), tests).evaluation.to_dict()
    assert figures.get("mask_AP") is None
    assert figures["AP"] is not None


def test_label_images_are_read_as_in_training(runs: Runs, label_maps: Path, tmp_path: Path) -> None:
    """On the data of the training, and where nothing else is said."""
    (tmp_path / "part.txt").write_text("background,0\n")
    run = Path(shutil.copytree(runs("unet"), tmp_path / "run"))
    content = json.loads((run / "recipe.json").read_text())
    content["data"] = str(label_maps.absolute())
    content["recipe"] |= {"classes_file": str(tmp_path / "part.txt"), "on_unknown_colors": "skip"}
    (run / "recipe.json").write_text(json.dumps(content))
    how = {"model": load_model(run), "run": run, "data": label_maps, "split": "all"}
    assert read_split(**how, reading=LabelOptions()).class_names == ("background",)
    with pytest.raises(LabelError, match="--on-unknown-colors skip"):
        read_split(**how, reading=LabelOptions(on_unknown_colors="error"))
    elsewhere = Path(shutil.copytree(label_maps, tmp_path / "elsewhere"))
    with pytest.raises(LabelError, match=r"classes\.txt"):
        read_split(**{**how, "data": elsewhere}, reading=LabelOptions())
