"""What training and evaluation do with findings in label maps: stop, leave out, or note.

Errors stop, with the heading, places and remedy that `boxmask check` shows, except those that the options
allow to leave out. Photos without a label map are always left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.kinds import LABEL_MAP_UNREADABLE, PHOTO_MISSING
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.segmentation.label_map_kinds import LABEL_MAP_COLOR_UNKNOWN
from boxmask.data.segmentation.label_maps import OnUnknownColors
from boxmask.data.segmentation.pairs import LABEL_MAP_MISSING
from boxmask.errors import LabelError
from boxmask.messages import format_count
from boxmask.options import option


@dataclass(frozen=True, slots=True)
class LabelMapPolicy:
    """What to do with the errors that may be left out.

    on_unknown_colors: "skip" treats pixels of unknown colors as not labeled
    on_bad_photos:     "skip" leaves out label maps without a photo, and photos whose label map is unreadable
    """

    on_unknown_colors: OnUnknownColors = "error"
    on_bad_photos: OnBadPhotos = "error"

    def decide(self, findings: Findings, num_photos: int | None = None) -> tuple[str, ...]:
        """Notes on all findings. Raises LabelError for errors that may not be left out.

        num_photos: that can be read; they are not all left out
        """
        headings = self._left_out()
        unreadable = findings.count(LABEL_MAP_UNREADABLE)
        if unreadable and unreadable == num_photos:
            headings.pop(LABEL_MAP_UNREADABLE, None)
        errors = [
            findings.message(kind) + _ADVICE.get(kind, "")
            for kind in findings.kinds
            if kind.severity == "error" and kind not in headings
        ]
        if errors:
            raise LabelError("\n".join(errors))
        left_out = (
            findings.note(kind, heading.format(count=format_count(findings.count(kind), _NOUNS[kind])))
            for kind, heading in headings.items()
        )
        others = (findings.note(kind) for kind in findings.kinds if _is_noted(kind, headings))
        return tuple(note for notes in (*left_out, *others) for note in notes)

    def _left_out(self) -> dict[Kind, str]:
        """The headings of the notes on the kinds that do not stop."""
        headings = {LABEL_MAP_MISSING: "left out: {count} without a label map"}
        if self.on_bad_photos == "skip":
            headings[PHOTO_MISSING] = "left out: {count} without a photo"
            headings[LABEL_MAP_UNREADABLE] = "left out: {count} whose label map cannot be read"
        if self.on_unknown_colors == "skip":
            heading = "not labeled: the pixels of {count} that the classes file does not name"
            headings[LABEL_MAP_COLOR_UNKNOWN] = heading
        return headings


def _is_noted(kind: Kind, headings: Mapping[Kind, str]) -> bool:
    """Whether a kind is no error, and has no note of its own on what is left out."""
    return kind.severity != "error" and kind not in headings


_NOUNS = {
    LABEL_MAP_MISSING: "photo",
    PHOTO_MISSING: "label map",
    LABEL_MAP_UNREADABLE: "photo",
    LABEL_MAP_COLOR_UNKNOWN: "value",
}
_LEAVE_OUT = f" Or leave them out with {option('on_bad_photos', 'skip')}."
_ADVICE = {
    PHOTO_MISSING: _LEAVE_OUT,
    LABEL_MAP_UNREADABLE: _LEAVE_OUT,
    LABEL_MAP_COLOR_UNKNOWN: f" Or treat them as not labeled with {option('on_unknown_colors', 'skip')}.",
}
