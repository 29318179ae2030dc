from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_type_hints

import pytest

from boxmask.errors import UsageError
from boxmask.prediction.options import PredictKeywords, PredictOptions, options_from_keywords

WIDER = {
    "tta_scales": Sequence[float],
    "save": str | Sequence[str] | None,
    "classes": Sequence[str] | None,
}
"""Keywords that take more than the field of the options holds."""

FLAGS_ONLY = ["with_runs"]
"""In Python, the run is a list."""


def test_keywords_are_the_options_with_the_same_types() -> None:
    fields = get_type_hints(PredictOptions)
    keywords = [name for name in PredictOptions.__dataclass_fields__ if name not in FLAGS_ONLY]
    assert get_type_hints(PredictKeywords) == {name: {**fields, **WIDER}[name] for name in keywords}
    assert list(get_type_hints(PredictKeywords)) == keywords
    assert PredictKeywords.__required_keys__ == frozenset()


def test_keywords_may_be_lists() -> None:
    options = options_from_keywords({"save": ["png", "coco"], "classes": ["cat"], "min_score": "auto"})
    assert options == PredictOptions(save="png,coco", classes=("cat",), min_score="auto")
    assert options.formats == ("png", "coco")
    assert options_from_keywords({"save": "csv, png,csv"}).formats == ("csv", "png")
    assert options_from_keywords({"classes": "cat"}).classes == ("cat",)
    assert options_from_keywords({}).formats is None
    assert options_from_keywords(
        {"tta": True, "tta_scales": [1, 2]}, [Path("a"), Path("b")]
    ) == PredictOptions(tta=True, tta_scales=(1, 2), with_runs=(Path("b"),))


def test_an_unknown_keyword_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'clases'\. Did you mean 'classes'"):
        options_from_keywords({"clases": ["cat"]})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_score": 7.0}, r"--min-score \(in Python: min_score\): expected 0 to 1, found 7"),
        ({"min_score": float("nan")}, "expected 0 to 1, found nan"),
        ({"min_score": "best"}, "expected a number from 0 to 1 or \"auto\", found 'best'"),
        ({"nms_iou": -1}, r"--nms-iou \(in Python: nms_iou\): expected 0 to 1, found -1"),
        ({"tiles": "big"}, "--tiles: expected \"auto\" or a side of at least 32 pixels, found 'big'"),
        ({"tiles": 512.0}, r"at least 32 pixels, found 512\.0"),
        ({"tiles": 31}, "at least 32 pixels, found 31"),
        ({"tile_overlap": 0.5}, r"--tile-overlap .* has no effect without --tiles\. Add it"),
        ({"tta_scales": (1.0,)}, r"--tta-scales .* has no effect without --tta\. Add it"),
        ({"nms_iou": "auto"}, "--nms-iou .*: expected a number from 0 to 1, found 'auto'"),
    ],
)
def test_values_out_of_range_are_wrong_usage(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        options_from_keywords(values)
