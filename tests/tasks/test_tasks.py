"""Every task through `task_of`: the labels it reads, the metrics it gives, and the pictures it draws."""

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
from rich.console import Console

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import CheckpointError, LabelError, UsageError
from boxmask.evaluation.classification.evaluate import evaluate_classifier
from boxmask.evaluation.detection.evaluate import evaluate_detector
from boxmask.evaluation.segmentation.evaluate import evaluate_segmenter
from boxmask.runs.splits import Split
from boxmask.tasks.contract import EvaluationReport, LabelOptions
from boxmask.tasks.table import task_of
from boxmask.weights.checkpoint import load_model

Runs = Callable[[str], Path]

KINDS: dict[str, tuple[type, Callable[..., Any], str]] = {
    "mask-rcnn": (DetectionDataset, evaluate_detector, "mask AP"),
    "unet": (SegmentationDataset, evaluate_segmenter, "mIoU"),
    "tiles": (SegmentationDataset, evaluate_segmenter, "mIoU"),
    "classifier": (ClassificationDataset, evaluate_classifier, "accuracy"),
}


def read_split(run: Path, data: Path, split: Split = "test", **options: Any) -> Any:
    return task_of(load_model(run)).read_split(run, data, split, LabelOptions(**options))


def evaluate(run: Path, dataset: Any, *args: Any, **options: Any) -> EvaluationReport:
    model = load_model(run)
    return task_of(model).evaluate(model, dataset, *args, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_each_task_reads_its_own_kind_of_labels(runs: Runs, demo: Path, kind: str) -> None:
    dataset = read_split(runs(kind), demo)
    assert isinstance(dataset, KINDS[kind][0])
    assert len(set(dataset.files.tolist())) == 4
    assert len(set(read_split(runs(kind), demo, "all").files.tolist())) == 24


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_has_the_evaluation_and_its_table(runs: Runs, demo: Path, kind: str) -> None:
    dataset = read_split(runs(kind), demo)
    calls: list[tuple[int, int]] = []
    report = evaluate(runs(kind), dataset, progress=lambda done, total: calls.append((done, total)))
    assert report.evaluation.to_dict() == KINDS[kind][1](load_model(runs(kind)), dataset).to_dict()
    assert calls == [(done, len(dataset)) for done in range(1, len(dataset) + 1)]
    terminal = StringIO()
    Console(width=120, file=terminal).print(report.table)
    assert KINDS[kind][2] in terminal.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_of_training_photos_are_marked(runs: Runs, demo: Path, kind: str) -> None:
    dataset = read_split(runs(kind), demo, "all")
    seen = next(iter(dataset.seen))
    unseen = next(file for file in dataset.files.tolist() if file not in dataset.seen)
    two = dataset.subset(np.flatnonzero(np.isin(dataset.files, [seen, unseen])))
    report = evaluate(runs(kind), two, on_unseen_classes="skip")
    metrics = report.evaluation.to_dict()
    assert metrics["tainted"] is True
    assert [found["photo"] for found in metrics["seen_photos"]] == [seen]
    terminal = StringIO()
    Console(width=300, file=terminal).print(report.table)
    assert "tainted: " in terminal.getvalue()
    assert "tainted: " in repr(report.evaluation)


@pytest.mark.parametrize("kind", ["mask-rcnn", "tiles"])
def test_every_photo_has_a_picture(runs: Runs, demo: Path, kind: str, tmp_path: Path) -> None:
    dataset = read_split(runs(kind), demo).subset(np.array([0, 1]))
    evaluate(runs(kind), dataset, pictures=tmp_path / "pictures")
    names = sorted(picture.stem for picture in (tmp_path / "pictures").glob("*.jpg"))
    assert names == sorted(Path(file).stem for file in dataset.files.tolist())


def test_the_mistakes_of_a_classifier_are_one_picture(runs: Runs, demo: Path, tmp_path: Path) -> None:
    run = runs("classifier")
    report = evaluate(run, read_split(run, demo), pictures=tmp_path)
    assert report.evaluation.mistakes()
    assert [picture.name for picture in tmp_path.glob("*.jpg")] == ["mistakes.jpg"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_the_model_does_not_know(runs: Runs, demo: Path, kind: str, tmp_path: Path) -> None:
    dataset = read_split(runs(kind), demo)
    names = tuple(name.replace("four", "vier") for name in dataset.class_names)
    if kind == "classifier":
        renamed = replace(dataset, photos=replace(dataset.photos, class_names=names))
    else:
        renamed = replace(dataset, class_names=names)
    with pytest.raises(LabelError, match='"vier"') as caught:
        evaluate(runs(kind), renamed, pictures=tmp_path / "pictures")
    assert "--on-unseen-classes skip" in str(caught.value)
    assert not (tmp_path / "pictures").exists()
    report = evaluate(runs(kind), renamed, "skip")
    assert any('"vier"' in note for note in report.evaluation.notes)


def test_a_detector_is_evaluated_by_boxes_if_the_labels_have_no_masks(runs: Runs, boxes_only: Path) -> None:
    run = runs("mask-rcnn")
    metrics = evaluate(run, read_split(run, boxes_only)).evaluation.to_dict()
    assert metrics.get("mask_AP") is None
    assert metrics["AP"] is not None


# ---------------------------------------------------------------- label maps


@pytest.mark.parametrize("option", [{"classes_file": Path("c.txt")}, {"on_unknown_colors": "skip"}])
@pytest.mark.parametrize("kind", ["mask-rcnn", "classifier"])
def test_only_segmenters_take_the_options_for_label_maps(
    runs: Runs, demo: Path, kind: str, option: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=r"are for segmenters, and .* holds another model"):
        read_split(runs(kind), demo, **option)


def test_label_maps_need_a_classes_file(runs: Runs, label_maps: Path, tmp_path: Path) -> None:
    run = runs("unet")
    with pytest.raises(LabelError, match=r"classes\.txt"):
        read_split(run, label_maps)
    (tmp_path / "mine.txt").write_text("background\none\n")
    dataset = read_split(run, label_maps, classes_file=tmp_path / "mine.txt")
    assert len(dataset) == 4
    assert set(evaluate(run, dataset).evaluation.to_dict()["per_class"]) == {"background", "one"}
    (tmp_path / "part.txt").write_text("background,0\n")
    with pytest.raises(LabelError, match="--on-unknown-colors skip"):
        read_split(run, label_maps, classes_file=tmp_path / "part.txt")
    part = read_split(run, label_maps, classes_file=tmp_path / "part.txt", on_unknown_colors="skip")
    assert part.class_names == ("background",)


@pytest.fixture
def run_on_label_maps(runs: Runs, label_maps: Path, tmp_path: Path) -> Path:
    """A run of a U-Net whose recipe names `label_maps` and a classes file with one of the two classes."""
    (tmp_path / "part.txt").write_text("background,0\n")
    run = Path(shutil.copytree(runs("unet"), tmp_path / "run"))
    content = json.loads((run / "recipe.json").read_text())
    content["data"] = str(label_maps.absolute())
    content["recipe"] |= {"classes_file": str(tmp_path / "part.txt"), "on_unknown_colors": "skip"}
    (run / "recipe.json").write_text(json.dumps(content))
    return run


def test_the_data_set_of_the_training_is_read_with_the_options_of_the_training(
    run_on_label_maps: Path, label_maps: Path, tmp_path: Path
) -> None:
    for path in (run_on_label_maps, run_on_label_maps / "best.safetensors"):
        assert read_split(path, label_maps, "all").class_names == ("background",)
    with pytest.raises(LabelError, match="--on-unknown-colors skip"):
        read_split(run_on_label_maps, label_maps, "all", on_unknown_colors="error")
    elsewhere = Path(shutil.copytree(label_maps, tmp_path / "elsewhere"))
    with pytest.raises(LabelError, match=r"classes\.txt"):
        read_split(run_on_label_maps, elsewhere, "all")


def test_a_damaged_recipe_is_reported(run_on_label_maps: Path, label_maps: Path) -> None:
    (run_on_label_maps / "recipe.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"recipe\.json: this is not the recipe of a run"):
        read_split(run_on_label_maps, label_maps)
