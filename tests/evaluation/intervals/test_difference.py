import json

import pytest

from boxmask.evaluation.contract import Interval
from boxmask.evaluation.intervals.difference import Difference, holm


def difference(p_value, first="a", second="b", value=0.031):
    return Difference(first, second, "AP", value, Interval(value - 0.02, value + 0.02), p_value)


def test_holm_by_hand():
    pairs = [difference(p) for p in (0.04, 0.01, None, 0.03)]
    assert [pair.p_value for pair in holm(pairs)] == [pytest.approx(0.06), 0.03, None, pytest.approx(0.06)]
    assert [pair.p_value for pair in holm([difference(0.9), difference(0.8)])] == [1.0, 1.0]
    assert holm([]) == ()


def test_the_better_model_stands_first():
    expected = "a is better than b on these photos (AP +0.031, 95 % interval 0.011 to 0.051)."
    assert difference(0.01).describe() == expected
    assert difference(0.01, "b", "a", -0.031).describe() == expected
    assert difference(0.01, "b", "a", -0.031).better == "a"


def test_what_may_be_chance_is_named():
    pair = difference(0.05, value=0.01)
    assert (
        pair.describe()
        == "The difference between a and b may be chance (AP +0.010, 95 % interval -0.010 to 0.030)."
    )
    assert pair.better is None


def test_too_few_photos():
    pair = Difference("a", "b", "AP", 0.4, None, None)
    assert pair.describe() == "There are too few photos to compare a and b."
    assert pair.to_dict()["interval"] is None


def test_dict_is_plain():
    content = difference(0.01).to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["interval"] == [pytest.approx(0.011), pytest.approx(0.051)]
