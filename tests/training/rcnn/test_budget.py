"""What R-CNN's stages can use within their minutes, at known speeds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.runs.recipe import Recipe
from boxmask.training.rcnn import budget
from boxmask.training.rcnn.budget import ALL_REGIONS, MIN_PAIRS, MIN_REGIONS, max_pairs, max_proposals


def session(messages: list[str] | None = None, **choices: Any) -> Any:
    report = SimpleNamespace(message=(messages if messages is not None else []).append)
    return SimpleNamespace(recipe=Recipe(**choices), train=range(100), report=report)


@pytest.fixture
def _speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_seconds_per_photo_and_region", lambda _: (0.04, 0.001))


@pytest.mark.usefixtures("_speeds")
def test_proposals_fit_into_the_minutes() -> None:
    """A minute for 100 photos, of which a tenth is kept: 0.54 seconds per photo, 0.04 of them to read it."""
    assert max_proposals(session(max_minutes=5), 1.0) == 500


@pytest.mark.usefixtures("_speeds")
def test_the_fewest_proposals_are_reported_with_their_time() -> None:
    messages: list[str] = []
    assert max_proposals(session(messages, max_minutes=1), 0.05) == MIN_REGIONS
    assert messages == [
        "note: the features of 20 proposals per photo, the fewest possible, take about 0.1 minutes for 100 "
        "photos"
    ]


def test_a_limit_and_epochs_need_no_measurement() -> None:
    assert max_proposals(session(max_minutes=5, max_regions=70), 1.0) == 70
    assert max_proposals(session(epochs=5), 0.0) == ALL_REGIONS


def test_pairs_are_limited_by_the_time() -> None:
    assert max_pairs(8, 2, seconds=1e-9, limit=20_000) == MIN_PAIRS
    assert max_pairs(8, 2, seconds=1e9, limit=20_000) == 20_000


def test_many_features_are_not_multiplied_to_measure_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the features that are timed: sixteen times the time per example."""
    ticks = iter([0.0, 0.256] * 10)
    monkeypatch.setattr(budget, "work_time", lambda: next(ticks))
    monkeypatch.setattr(budget, "TIMED_FEATURES", 600)
    assert max_pairs(2400, 1, seconds=100.0, limit=10**6) == int(0.9 * 100 / 0.016 - 400)
    assert max_pairs(600, 1, seconds=100.0, limit=10**6) > 16 * 5000
