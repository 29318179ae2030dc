import pytest

from boxmask.evaluation.contract import Interval
from boxmask.evaluation.intervals.difference import Difference
from boxmask.evaluation.intervals.sentences import describe_comparison, smallest_visible_difference


def pair(first, second, value, p_value, half=0.04):
    return Difference(first, second, "AP", value, Interval(value - half, value + half), p_value)


VALUES = {"fcos": 0.55, "ssd": 0.50, "faster-rcnn": 0.58}
PAIRS = (
    pair("fcos", "ssd", 0.05, 0.04),
    pair("fcos", "faster-rcnn", -0.03, 0.3),
    pair("ssd", "faster-rcnn", -0.08, 0.01),
)


def test_the_best_model_against_the_others():
    sentences = describe_comparison("AP", VALUES, PAIRS, photos=72)
    assert sentences == (
        "The difference between faster-rcnn and fcos may be chance "
        "(AP +0.030, 95 % interval -0.010 to 0.070).",
        "faster-rcnn is better than ssd on these photos (AP +0.080, 95 % interval 0.040 to 0.120).",
        "With 72 photos, a difference of 0.057 AP is found four times in five. Smaller differences often go "
        "unnoticed: label more test photos to see them.",
        "The intervals are for the choice of photos: they do not say how much another training of the same "
        "method would differ. Train with several seeds to see that.",
    )


def test_several_seeds_show_themselves():
    values = {"ssd": 0.50, "ssd (seed 1)": 0.52, "fcos": 0.4}
    once = {"ssd": "ssd", "ssd (seed 1)": "ssdlite", "fcos": None}
    assert len(describe_comparison("AP", values, (), 72, once)) == 1
    assert describe_comparison("AP", values, (), 72, dict.fromkeys(values, "ssd")) == ()


def test_few_photos():
    sentences = describe_comparison("AP", VALUES, PAIRS, photos=5)
    assert "With 5 photos, intervals are rough. Label at least 10 test photos, or better, 100." in sentences


def test_groups_of_photos_are_named():
    few = describe_comparison("AP", VALUES, PAIRS, photos=3, grouped=True)
    assert (
        "With 3 groups of photos that belong together, intervals are rough. Label test photos of at least 10 "
        "groups, or better, 100."
    ) in few
    many = describe_comparison("AP", VALUES, PAIRS, photos=72, grouped=True)
    assert any("label test photos of more groups to see them" in text for text in many)


def test_a_test_set_that_tells_all_apart_is_large_enough():
    real = (pair("fcos", "ssd", 0.05, 0.04),)
    sentences = describe_comparison("AP", {"fcos": 0.55, "ssd": 0.5}, real, 72)
    assert not any("test set" in sentence for sentence in sentences)


def test_one_model_and_no_model():
    assert describe_comparison("AP", {"ssd": 0.5}, (), 72) == ()
    assert describe_comparison("AP", {"ssd": None}, (), 72) == ()
    assert smallest_visible_difference(()) is None
    assert smallest_visible_difference(PAIRS) == pytest.approx(1.43 * 0.04)
