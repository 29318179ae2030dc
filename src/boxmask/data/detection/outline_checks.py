"""Outlines without a usable mask: their objects keep their boxes."""

from __future__ import annotations

from boxmask.data.detection.box_checks import MAX_BAD_BOX_SHARE, OnBadBoxes
from boxmask.data.formats.labels import Labels, MaskReading
from boxmask.errors import LabelError
from boxmask.messages import format_count, format_errors, format_note, format_percent
from boxmask.options import option

_REMEDY = (
    f"Correct these outlines, remove them, or leave them out with {option('on_bad_boxes', 'skip')}. "
    "Their objects then count by their boxes only. By default outlines are left out "
    f"while they are under {format_percent(MAX_BAD_BOX_SHARE)} of all. Run lengths must cover the photo as "
    "it is shown."
)


def check_outlines(
    labels: Labels, reading: MaskReading, on_bad_boxes: OnBadBoxes | None, *, needs_masks: bool
) -> tuple[str, ...]:
    """Notes on the outlines that are left out; see `OnBadBoxes` for when they may be.

    needs_masks: False for models of boxes, for which malformed outlines are only noted. Run lengths over
                 another size than the photo's still count, because the boxes may be wrong, too.

    Raises LabelError for all outlines that may not be left out.
    """
    counted = {**reading.wrong_size, **(reading.malformed if needs_masks else {})}
    locations = _locations(labels, counted)
    share = len(counted) / max(1, reading.num_outlines)
    if counted and (on_bad_boxes == "error" or (on_bad_boxes is None and share >= MAX_BAD_BOX_SHARE)):
        raise LabelError(
            format_errors("Outlines that cannot be read", locations, _REMEDY, reading.num_outlines)
        )
    left_out = {**reading.wrong_size, **reading.malformed}
    count = f"{len(left_out):,} of {format_count(reading.num_outlines, 'outline')}"
    heading = f"left out: {count}, which cannot be read; the boxes of these objects are used"
    return reading.notes + format_note(heading, _locations(labels, left_out))


def _locations(labels: Labels, reasons: dict[int, str]) -> list[str]:
    return [f"{labels.location(row)}: {reasons[row]}" for row in sorted(reasons)]
