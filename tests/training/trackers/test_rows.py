"""Rows of log.jsonl as numbers for trackers, with one count of steps."""

from __future__ import annotations

import pytest

from boxmask.training.trackers.rows import StepCount, row_values


def test_a_row_of_a_step_has_its_losses_their_sum_and_what_else_is_a_number() -> None:
    row = {
        "stage": "training",
        "step": 7,
        "minutes": 1.5,
        "passes": 2.0,
        "learning_rate": 1e-3,
        "roi_class": 2.0,
        "roi_box": 0.5,
        "images_per_second": 9,
    }
    assert row_values(row) == {
        "train/minutes": 1.5,
        "train/passes": 2.0,
        "train/learning_rate": 1e-3,
        "train/roi_class": 2.0,
        "train/roi_box": 0.5,
        "train/images_per_second": 9.0,
        "train/loss": 2.5,
    }


def test_a_row_of_a_validation_has_its_metrics() -> None:
    row = {"stage": "training", "step": 7, "minutes": 1.5, "val": {"AP": 0.5, "APs": None, "images": 2}}
    assert row_values(row) == {"validation/AP": 0.5, "validation/images": 2.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "text", None, [1], True])
def test_what_is_no_finite_number_is_left_out(value: object) -> None:
    assert row_values({"stage": "x", "step": 1, "minutes": value}) == {}


def test_steps_never_fall_though_every_stage_begins_at_zero() -> None:
    count = StepCount()
    rows = [("RPN", 5), ("RPN", 9), ("Fast R-CNN", 2), ("Fast R-CNN", 7), ("Fast R-CNN", 7), ("end", 0)]
    assert [count.advance({"stage": stage, "step": step}) for stage, step in rows] == [5, 9, 11, 16, 16, 16]
