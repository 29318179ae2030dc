"""Suggestions for names that no file has."""

from __future__ import annotations

import pytest

from boxmask.similar_names import did_you_mean


def test_similar_names_are_suggested() -> None:
    files = ["images/frame_0001.jpg", "images/frame_0002.jpg", "images/zebra.jpg"]
    assert did_you_mean("zebr.jpg", files) == " (did you mean images/zebra.jpg?)"
    assert did_you_mean("frame_0003.jpg", files).count("images/frame_000") == 2
    assert did_you_mean("quite-another-name.jpg", files) == ""


@pytest.mark.parametrize(
    "renamed",
    ["Kopie von frame_0003", "copy of frame_0003", "frame_0003_old", "frame_0003 (1)", "x/FRAME_0003"],
)
def test_a_name_that_contains_the_other_comes_first(renamed: str) -> None:
    files = ["frame_0001.jpg", "frame_00031.jpg", f"{renamed}.jpg", "frame_0002.jpg"]
    assert did_you_mean("frame_0003", files) == f" (did you mean {renamed}.jpg?)"
    assert did_you_mean(renamed, ["frame_0001.jpg", "frame_0003.jpg"]) == " (did you mean frame_0003.jpg?)"
