"""Trainings that were too short to tell anything about their methods."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from boxmask.comparison.contract import Training
from boxmask.comparison.report.sentences import translated_sentences
from boxmask.comparison.report.texts import OTHERS
from boxmask.comparison.short_trainings import describe_short_trainings


def trained(name: str, passes: float | None) -> Any:
    return SimpleNamespace(name=name, training=Training(0.3, passes, 4.0, None, 0))


def test_trainings_of_less_than_a_pass_are_named_with_the_minutes_they_need() -> None:
    given: Any = SimpleNamespace(name="detections", training=None)
    models = [trained("ssd", 0.09), trained("fcos", 1.0), trained("rcnn", None), trained("unet", 0.9), given]
    (sentence,) = describe_short_trainings(models)
    assert sentence.startswith("Too short to use each training photo once: ssd, unet. ")
    assert "For 3 passes, compare again with --max-minutes 10 (in Python: max_minutes=10)" in sentence
    ((_, translations),) = translated_sentences([sentence])
    assert set(translations) == set(OTHERS)
    assert describe_short_trainings(models[1:3]) == ()
