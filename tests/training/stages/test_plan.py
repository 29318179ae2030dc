"""The stages of each method on six photos: their order, their weights, and stopping in any of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.state import SavedState
from boxmask.training.train import resume, train
from boxmask.weights.checkpoint import load_detector, read_checkpoint

Staged = Callable[[str], Any]
TinyRecipe = Callable[[str], Recipe]
Report = Callable[..., Any]
Compare = Callable[..., bool]
SHARED = ("backbone.", "fpn.")


def test_the_stages_follow_the_paper(each_staged: Any) -> None:
    expected = {
        "rcnn": ["Selective Search", "fine-tuning", "features of all regions", "SVMs", "box regressors"],
        "fast-rcnn": ["Selective Search", "normalizing targets", "training"],
        "faster-rcnn": [
            "step 1: RPN",
            "RPN's proposals",
            "step 2: Fast R-CNN",
            "step 3: RPN, shared layers fixed",
            "RPN's new proposals",
            "step 4: Fast R-CNN, shared layers fixed",
        ],
    }
    assert each_staged.report.stages == expected[each_staged.recipe.model]


LOSSES = {
    "fine-tuning": {"region_class"},
    "training": {"roi_class", "roi_box"},
    "step 1: RPN": {"rpn_objectness", "rpn_box"},
    "step 2: Fast R-CNN": {"roi_class", "roi_box"},
    "step 3: RPN, shared layers fixed": {"rpn_objectness", "rpn_box"},
    "step 4: Fast R-CNN, shared layers fixed": {"roi_class", "roi_box"},
}


def test_the_log_names_the_stages(each_staged: Any) -> None:
    rows = [json.loads(line) for line in each_staged.run.log_file.read_text().splitlines()]
    descent_stages = [name for name in each_staged.stage_names if name in LOSSES]
    steps = [(row["stage"], row["step"]) for row in rows if "val" not in row]
    assert steps == [(name, step) for name in descent_stages for step in (1, 2, 3)]
    for row in rows[:-1]:
        parts = set(row) - {"stage", "step", "minutes", "passes", "learning_rate", "images_per_second"}
        assert parts == LOSSES[row["stage"]]
    assert [row["minutes"] for row in rows] == sorted(row["minutes"] for row in rows)
    assert "val" in rows[-1]
    assert rows[-1]["stage"] == each_staged.stage_names[-1]


def test_a_finished_run_has_no_intermediate_files(each_staged: Any, run_files: set[str]) -> None:
    files = {path.name for path in each_staged.run.path.iterdir()}
    assert files - {"notes.txt"} == run_files
    assert each_staged.run.finished
    Image.open(each_staged.run.curve_file).load()


def test_the_detector_has_the_weights_of_the_last_stage(
    each_staged: Any, six_photos: DetectionDataset, equal_tensors: Compare
) -> None:
    detector = load_detector(each_staged.run.path)
    assert equal_tensors(detector.state_dict(), each_staged.ended[-1])
    assert detector.predict(six_photos.path(0)).class_names == six_photos.class_names


def test_minutes_end_a_staged_training(
    staged: Staged, demo: Path, tmp_path: Path, stage_report: Report
) -> None:
    """The search, which takes as long as it needs, is cached."""
    recipe = replace(staged("rcnn").recipe, epochs=None, max_minutes=2 / 60)
    report = stage_report()
    run, finished = train(demo, recipe, tmp_path / "run", report)
    assert finished
    assert len(report.stages) == 5
    assert 0.1 <= read_checkpoint(run.last_checkpoint)[1].training["seconds"] < 20


@pytest.mark.parametrize("model", ["rcnn", "fast-rcnn"])
def test_alternating_training_is_for_faster_rcnn_only(
    demo: Path, tiny: TinyRecipe, tmp_path: Path, model: str
) -> None:
    with pytest.raises(UsageError, match=f"is for faster-rcnn only, not for {model}"):
        train(demo, replace(tiny(model), training="alternating"), tmp_path / "deep" / "run")
    assert not list(tmp_path.iterdir())


def test_each_step_of_alternating_training_trains_its_own_layers(
    staged: Staged, equal_tensors: Compare
) -> None:
    first, proposals_1, second, third, proposals_2, fourth = staged("faster-rcnn").ended
    start = staged("faster-rcnn").began["step 1: RPN"]
    assert not equal_tensors(first, start, SHARED)
    assert not equal_tensors(first, start, "rpn_head.")
    assert equal_tensors(first, start, "box_head.")
    assert equal_tensors(proposals_1, first)
    assert not equal_tensors(second, start, SHARED)
    assert not equal_tensors(second, start, "box_head.")
    assert equal_tensors(second, first, "rpn_head.")
    assert equal_tensors(third, second, (*SHARED, "box_head."))
    assert not equal_tensors(third, second, "rpn_head.")
    assert equal_tensors(proposals_2, third)
    assert equal_tensors(fourth, third, (*SHARED, "rpn_head."))
    assert not equal_tensors(fourth, third, "box_head.")


def test_the_second_step_resets_the_shared_layers(staged: Staged, equal_tensors: Compare) -> None:
    began = staged("faster-rcnn").began
    assert equal_tensors(began["step 2: Fast R-CNN"], began["step 1: RPN"], (*SHARED, "box_head."))
    assert equal_tensors(began["step 2: Fast R-CNN"], staged("faster-rcnn").ended[0], "rpn_head.")


# ---------------------------------------------------------------- stopping and resuming


def test_a_training_stopped_in_every_stage_reaches_the_same_weights(
    each_staged: Any, demo: Path, tmp_path: Path, equal_files: Compare, stage_report: Report
) -> None:
    run, finished = train(
        demo, each_staged.recipe, tmp_path / "run", stage_report(each_staged.stage_names[0])
    )
    assert not finished
    for number, name in enumerate(each_staged.stage_names[1:], start=1):
        assert SavedState.read(run).stage == number - 1
        load_detector(run.path)
        report = stage_report(name)
        assert not resume(run, report=report)
        assert report.stages == each_staged.stage_names[number - 1 : number + 1]
    assert resume(run)
    assert equal_files(run.last_checkpoint, each_staged.run.last_checkpoint)
    assert equal_files(run.best_checkpoint, each_staged.run.best_checkpoint)
    assert not run.intermediate.exists()
    assert not run.resume_file.exists()


class PowerCut(BaseException):
    pass


def test_a_training_killed_before_its_cleanup_reaches_the_same_weights(
    each_staged: Any, demo: Path, tmp_path: Path, equal_files: Compare
) -> None:
    def power_cut(self: Run) -> None:
        raise PowerCut

    run = Run(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "remove_leftovers", power_cut)
        with pytest.raises(PowerCut):
            train(demo, each_staged.recipe, run.path)
    assert resume(run)
    assert equal_files(run.last_checkpoint, each_staged.run.last_checkpoint)
    assert not run.intermediate.exists()
