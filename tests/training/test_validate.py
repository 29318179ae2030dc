"""What decides which weights are kept, whatever the task measures."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from boxmask.runs.recipe import Recipe
from boxmask.training.progress import Report
from boxmask.training.validate import validate


class Told(Report):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


class Judge:
    """A task that gives these evaluations, one after the other."""

    figures = ("mask_AP", "AP")

    def __init__(self, *evaluations: dict[str, Any]) -> None:
        self.left = list(evaluations)

    def evaluate(self, model: nn.Module, labeled: Any, recipe: Recipe, progress: Any) -> dict[str, Any]:
        assert not model.training
        progress(1, 2)
        return {"images": 2, "other": 0.9, **self.left.pop(0)}


def session(judge: Judge, log: Path, photos: int = 2) -> Any:
    kept: list[int] = []
    state = SimpleNamespace(
        best=-1.0,
        validated=0,
        seconds=90.0,
        metrics={},
        result=nn.Linear(1, 1),
        clock=SimpleNamespace(step=0),
    )
    state.kept, state.save_best = kept, lambda run: kept.append(state.clock.step)
    report = Told()
    report.log = log
    return SimpleNamespace(
        state=state, report=report, task=judge, val=range(photos), recipe=Recipe(num_validations=4), run=None
    )


def judged(given: Any, times: int) -> None:
    for number in range(1, times + 1):
        given.state.clock.step = number
        validate(given, number / times)


def test_the_first_figure_decides_and_of_equals_the_later(tmp_path: Path) -> None:
    masks = (0.2, 0.1, 0.2, 0.3, 0.29)
    judge = Judge(*({"mask_AP": figure, "AP": 1 - figure} for figure in masks))
    given = session(judge, tmp_path / "log.jsonl")
    judged(given, 5)
    assert given.state.kept == [1, 3, 4]
    assert given.state.best == 0.3
    assert given.state.metrics == {"mask_AP": 0.29, "AP": 0.71, "images": 2}
    assert given.report.said[0] == " 20 %  validation: mask_AP 0.200, AP 0.800"


def test_the_next_decides_where_the_first_cannot_be_measured(tmp_path: Path) -> None:
    given = session(Judge({"mask_AP": None, "AP": 0.5}, {"AP": 0.4}), tmp_path / "log.jsonl")
    judged(given, 2)
    assert given.state.kept == [1]
    assert given.report.said[1] == "100 %  validation: AP 0.400"


def test_nothing_can_be_measured(tmp_path: Path) -> None:
    given = session(Judge({"mask_AP": None}, {"mask_AP": None}), tmp_path / "log.jsonl")
    judged(given, 2)
    assert given.state.kept == [1, 2]
    assert given.state.metrics == {"images": 2}


def test_no_photos_to_validate_on(tmp_path: Path) -> None:
    given = session(Judge(), tmp_path / "log.jsonl", photos=0)
    judged(given, 2)
    assert given.state.kept == [1, 2]
    assert given.report.said == []
    assert not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize(("progress", "done"), [(0.24, 0), (0.25, 1), (0.8, 3), (1.0, 4)])
def test_validations_are_counted_and_written_down(tmp_path: Path, progress: float, done: int) -> None:
    given = session(Judge({"AP": 0.5}), tmp_path / "log.jsonl")
    validate(given, progress)
    assert given.state.validated == done
    row = json.loads((tmp_path / "log.jsonl").read_text())
    assert (row["step"], row["minutes"], row["val"]) == (0, 1.5, {"AP": 0.5, "images": 2})
