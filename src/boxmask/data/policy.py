"""What training and evaluation do with findings: stop, leave out, or note.

Errors stop, with the heading, places and remedy that `boxmask check` shows. Three groups of errors may be
left out instead: bad boxes, bad outlines, and shapes that are neither. Whatever is left out has a note that
says what, how many and why. Missing photos are checked in `boxmask.data.photo_checks`. Warnings and notes
become notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from boxmask.data.detection.box_checks import BAD_BOXES, MAX_BAD_BOX_SHARE, OnBadBoxes
from boxmask.data.detection.outline_masks import (
    OUTLINE_FAR_OUTSIDE,
    OUTLINE_FEW_POINTS,
    OUTLINE_UNREADABLE,
    OUTLINE_WRONG_SIZE,
)
from boxmask.data.findings import Findings, FoundErrorsError, Kind
from boxmask.data.formats.kinds import SHAPE_UNSUPPORTED
from boxmask.errors import LabelError
from boxmask.messages import format_count, format_percent
from boxmask.options import option

BAD_OUTLINES = (OUTLINE_WRONG_SIZE, OUTLINE_FEW_POINTS, OUTLINE_FAR_OUTSIDE, OUTLINE_UNREADABLE)
"""The objects of these outlines are known by their boxes only."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do with the errors that may be left out.

    on_bad_boxes:  "error" stops at any bad box or outline, "skip" leaves out any number of them, and shapes
                   that are neither. None leaves boxes and outlines out while they are under
                   `MAX_BAD_BOX_SHARE` of all.
    needs_masks:   False if only boxes are used: outlines that cannot be read are then left out. Run lengths
                   over another size than the photo's still count, because the boxes may be wrong, too.
    """

    on_bad_boxes: OnBadBoxes | None = None
    needs_masks: bool = True

    def raise_reading_errors(self, findings: Findings) -> None:
        """Raise FoundErrorsError for errors of reading that may not be left out."""
        errors = [
            findings.message(kind) + (_SKIP_SHAPES if kind is SHAPE_UNSUPPORTED else "")
            for kind in findings.kinds
            if kind.severity == "error" and kind not in self._left_out_shapes(findings)
        ]
        if errors:
            raise FoundErrorsError("\n".join(errors))

    def _left_out_shapes(self, findings: Findings) -> tuple[Kind, ...]:
        """The kind of shapes that are left out one by one; none if a finding is about a whole file."""
        are_objects = all(finding.num_left_out for finding in findings.of(SHAPE_UNSUPPORTED))
        return (SHAPE_UNSUPPORTED,) if are_objects and self.on_bad_boxes == "skip" else ()

    def decide(self, findings: Findings, num_objects: int) -> tuple[str, ...]:
        """Notes on all findings. Raises LabelError for errors that may not be left out.

        num_objects: of the data set, from which the shares are computed
        """
        counted = BAD_OUTLINES if self.needs_masks else (OUTLINE_WRONG_SIZE,)
        boxes = _Group(BAD_BOXES, BAD_BOXES, num_objects, "box", "these boxes", "")
        outlines = _Group(BAD_OUTLINES, counted, num_objects, "object", "these outlines", _BOXES_ARE_USED)
        num_shapes = findings.count(SHAPE_UNSUPPORTED)
        skipped = self._left_out_shapes(findings)
        shapes = _Group(skipped, (), num_objects + num_shapes, "object", "these objects", "")
        groups = (outlines, boxes, shapes)
        errors = [
            findings.message(kind)
            for kind in findings.kinds
            if kind.severity == "error" and not any(kind in group.kinds for group in groups)
        ]
        errors += [self._message(group, findings) for group in groups if self._stops(group, findings)]
        if errors:
            raise LabelError("\n".join(errors))
        return tuple(note for group in groups for note in group.notes(findings)) + findings.notes()

    def _stops(self, group: _Group, findings: Findings) -> bool:
        share = group.share(findings)
        is_many = self.on_bad_boxes is None and share >= MAX_BAD_BOX_SHARE
        return share > 0 and (self.on_bad_boxes == "error" or is_many)

    def _message(self, group: _Group, findings: Findings) -> str:
        messages = [findings.message(kind, group.total) for kind in group.counted if findings.count(kind)]
        if group.share(findings) == 1:  # to leave out all would leave nothing to learn from
            return "\n".join(messages)
        advice = (
            f"Or leave {group.objects} out with {option('on_bad_boxes', 'skip')}. By default they are left "
            f"out while they are under {format_percent(MAX_BAD_BOX_SHARE)} of all."
        )
        return "\n".join([*messages, advice])


_BOXES_ARE_USED = "; the boxes of these objects are used"
_SKIP_SHAPES = f" Or leave points, lines and the like out with {option('on_bad_boxes', 'skip')}."


@dataclass(frozen=True, slots=True)
class _Group:
    """Errors that are left out together.

    counted: the kinds whose share decides
    total:   number of objects of the data set
    """

    kinds: Sequence[Kind]
    counted: Sequence[Kind]
    total: int
    noun: str
    objects: str
    consequence: str

    def share(self, findings: Findings) -> float:
        """The share that may not be too large."""
        return sum(findings.count(kind) for kind in self.counted) / max(1, self.total)

    def notes(self, findings: Findings) -> tuple[str, ...]:
        """One note per kind on what is left out."""
        return tuple(
            note
            for kind in self.kinds
            for note in left_out(findings, kind, self.total, self.noun, self.consequence)
        )


def left_out(findings: Findings, kind: Kind, total: int, noun: str, consequence: str = "") -> tuple[str, ...]:
    """A note on findings that are left out: how many of how many, and why."""
    count = findings.count(kind)
    share = format_percent(count / max(1, total))
    reason = kind.heading[0].lower() + kind.heading[1:]
    what = "the outlines of " if kind in BAD_OUTLINES else ""
    heading = f"left out: {what}{count:,} of {format_count(total, noun)} ({share}): {reason}{consequence}"
    return findings.note(kind, heading)
