"""Diffs of long files."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from boxmask.doctor.fix.line_diff import unified_diff

LINES = st.lists(st.sampled_from("abcdefgh"), max_size=40)


def patched(before: Sequence[str], diff: Sequence[str]) -> list[str]:
    """The lines after a diff is applied, as `patch` does. Fails if it does not fit."""
    after, position = [], 0
    for line in diff[2:]:
        if line.startswith("@@"):
            found = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
            assert found is not None
            length = 1 if found[2] is None else int(found[2])
            start = int(found[1]) - (1 if length else 0)
            after += before[position:start]
            position = start
            assert len(after) == int(found[3]) - (0 if found[4] == "0" else 1)
        else:
            if line[0] in " -":
                assert before[position] == line[1:]
                position += 1
            if line[0] in " +":
                after.append(line[1:])
    return after + list(before[position:])


@given(LINES, LINES)
def test_a_diff_leads_from_one_file_to_the_other(before: list[str], after: list[str]) -> None:
    diff = list(unified_diff(before, after, "labels.txt"))
    assert patched(before, diff) == after
    assert bool(diff) == (before != after)


def test_it_looks_like_that_of_difflib() -> None:
    before = [f"line {number}" for number in range(40)]
    after = [*before[:5], "new", *before[5:20], *before[22:39], "changed"]
    expected = difflib.unified_diff(before, after, "a/x", "b/x", lineterm="")
    assert list(unified_diff(before, after, "x")) == list(expected)


def test_long_files_take_seconds() -> None:
    before = [f"{number % 1000} 0.5 0.5 0.1 {number}" for number in range(200_000)]
    after = [line + "1" if number % 1000 == 0 else line for number, line in enumerate(before)]
    start = time.perf_counter()
    diff = list(unified_diff(before, after, "x"))
    assert time.perf_counter() - start < 10
    assert sum(line.startswith("+") for line in diff) == 201


def test_a_file_that_changes_as_a_whole_takes_seconds() -> None:
    before, after = (["same"] * 30_000 + [f"{name}{n}" for n in range(30_000)] for name in "ab")
    start = time.perf_counter()
    assert len(list(unified_diff(before, after, "x"))) > 60_000
    assert time.perf_counter() - start < 10
