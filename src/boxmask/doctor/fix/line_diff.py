"""A unified diff of long files that differ in few lines, in linear time.

`difflib` compares every changed line with every other one, which takes hours for a file of 500,000 lines.
Here, lines that occur once in both files hold them together, and `difflib` compares what lies between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

CONTEXT = 3
"""Unchanged lines around a change."""

_MAX_COMPARED = 1000
"""Longer stretches of changed lines are not compared line by line: all are removed, and all are added."""

_Block = tuple[int, int, int, int]
"""Where a changed stretch begins and ends, before and after: lines before[a:b] become after[c:d]."""


def unified_diff(before: Sequence[str], after: Sequence[str], name: str) -> Iterator[str]:
    """The lines of a unified diff; none if the files are the same.

    name: of the file, in "--- a/NAME" and "+++ b/NAME"
    """
    blocks = list(_changed_blocks(before, after))
    if not blocks:
        return
    yield f"--- a/{name}"
    yield f"+++ b/{name}"
    hunk = [blocks[0]]
    for block in blocks[1:]:
        if block[0] - hunk[-1][1] > 2 * CONTEXT:
            yield from _format_hunk(before, after, hunk)
            hunk = []
        hunk.append(block)
    yield from _format_hunk(before, after, hunk)


def _format_hunk(before: Sequence[str], after: Sequence[str], blocks: Sequence[_Block]) -> Iterator[str]:
    """Changed stretches that are near one another, with the lines around them."""
    start, end = max(0, blocks[0][0] - CONTEXT), min(len(before), blocks[-1][1] + CONTEXT)
    lead, tail = blocks[0][0] - start, end - blocks[-1][1]
    new_start, new_end = blocks[0][2] - lead, blocks[-1][3] + tail
    yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@"
    position = start
    for first, last, new_first, new_last in blocks:
        yield from (f" {line}" for line in before[position:first])
        yield from (f"-{line}" for line in before[first:last])
        yield from (f"+{line}" for line in after[new_first:new_last])
        position = last
    yield from (f" {line}" for line in before[position:end])


def _range(start: int, end: int) -> str:
    """Of lines, in the form of `diff -u`: first line, counted from 1, and number of lines."""
    length = end - start
    return f"{start + 1 if length else start},{length}" if length != 1 else str(start + 1)


# ---------------------------------------------------------------- comparing


def _changed_blocks(before: Sequence[str], after: Sequence[str]) -> Iterator[_Block]:
    a = c = 0
    for anchor, new_anchor in [*_anchors(before, after), (len(before), len(after))]:
        yield from _compare(before, after, (a, anchor, c, new_anchor))
        a, c = anchor, new_anchor


def _anchors(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Positions of lines that occur once in both files, in the order of both."""
    counts, new_counts = Counter(before), Counter(after)
    place = {line: number for number, line in enumerate(after) if new_counts[line] == counts[line] == 1}
    last = -1
    for number, line in enumerate(before):
        new = place.get(line, -1)
        if new > last:
            yield number, new
            last = new


def _compare(before: Sequence[str], after: Sequence[str], stretch: _Block) -> Iterator[_Block]:
    """The changed parts of a stretch."""
    a, b, c, d = stretch
    while a < b and c < d and before[a] == after[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and before[b - 1] == after[d - 1]:
        b, d = b - 1, d - 1
    if max(b - a, d - c) > _MAX_COMPARED or a == b or c == d:
        if a < b or c < d:
            yield a, b, c, d
        return
    matcher = SequenceMatcher(None, before[a:b], after[c:d], autojunk=False)
    for tag, first, last, new_first, new_last in matcher.get_opcodes():
        if tag != "equal":
            yield a + first, a + last, c + new_first, c + new_last
