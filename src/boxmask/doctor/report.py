"""The report of a check: the findings in the order in which they are shown, and numbers of the data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from boxmask.data.checks.consequences import is_cause
from boxmask.data.checks.examination import Examination
from boxmask.data.checks.summary import Summary
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.findings import Finding, Findings, Kind, Severity
from boxmask.data.formats.contract import Format
from boxmask.data.groups.copies import Copies
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.errors import UsageError

if TYPE_CHECKING:
    from boxmask.doctor.fix.fix import MendedCopy
    from boxmask.doctor.model.trained_model import TrainedModel

LabelKind: TypeAlias = Literal["objects", "label maps", "class folders"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class CheckReport:
    """What `boxmask check` found. Its text is the report of the terminal.

    data:        as the user gave it
    root:        the folder that the paths of photos are relative to
    labels:      the format of the labels, in words: "Pascal VOC"; "" if there are none that can be read
    findings:    all findings
    num_photos:  photos in the data set, labeled or not
    splits:      "train", "val" or "test" by photo; photos in no split are left out
    label_kind:  what is labeled: objects, pixels, or whole photos
    classes_file: the classes of label maps, if they are not the data set's own
    summary:     numbers of the data set; None if its labels cannot be read
    examination: the labels; None if they cannot be read
    records:     what the pass over the photos found out; None without one
    copies:      the copies among the photos of `records`
    trained:     the model that the labels were compared with; None without one
    form:        the format of labels of objects; None for others
    selection:   the classes that were checked, and their other names
    """

    data: Path
    root: Path
    labels: str
    findings: Findings = field(repr=False)
    num_photos: int
    splits: Mapping[str, str] = field(default_factory=dict, repr=False)
    summary: Summary | None = field(default=None, repr=False)
    label_kind: LabelKind = "objects"
    classes_file: Path | None = None
    examination: Examination | None = field(default=None, repr=False)
    records: PhotoRecords | None = field(default=None, repr=False)
    copies: Copies | None = field(default=None, repr=False)
    trained: TrainedModel | None = field(default=None, repr=False)
    form: Format | None = field(default=None, repr=False)
    selection: ClassSelection = ALL_CLASSES

    @property
    def has_errors(self) -> bool:
        """Whether there is an error among the findings."""
        return self.count("error") > 0

    def count(self, severity: Severity) -> int:
        """The number of findings of one severity."""
        return sum(self.findings.count(kind) for kind in self.findings.kinds if kind.severity == severity)

    def kinds(self) -> list[Kind]:
        """The kinds that were found: errors first, causes of others first among them, then as found."""
        return sorted(
            self.findings.kinds, key=lambda kind: (SEVERITIES.index(kind.severity), not is_cause(kind))
        )

    def __iter__(self) -> Iterator[Finding]:
        """The findings that are kept, in the order of `kinds`."""
        for kind in self.kinds():
            yield from self.findings.of(kind)

    def __str__(self) -> str:
        from boxmask.doctor.text import format_report

        return format_report(self)

    def to_dict(self) -> dict[str, object]:
        """As JSON values; see `boxmask.doctor.json_report`."""
        from boxmask.doctor.json_report import report_to_dict

        return report_to_dict(self)

    def save(self, path: str | Path) -> None:
        """Write the report as a page (.html) or as JSON (.json).

        Raises UsageError for another suffix, and for a file that boxmask did not write. Raises OutputError.
        """
        from boxmask.doctor.save import save_report

        save_report(self, Path(path))

    def write_split(self, path: str | Path, group_by: str = "auto", seed: int = 0) -> tuple[str, ...]:
        """Draw new splits that keep photos that belong together in one, and write them as a split file.

        group_by: what belongs together; see `boxmask.data.groups.group_by.find_groups`

        Returns notes on the split. Raises UsageError for a report without photos, and for another `group_by`.
        """
        from boxmask.doctor.photos.split import write_grouped_split

        if self.records is None:
            raise UsageError("The photos were not checked, so that no split of them can be drawn.")
        return write_grouped_split(self.records, Path(path), group_by, seed, self.examination, self.copies)

    def fix(self, out: str | Path, photos: Literal["copy", "link"] = "copy") -> MendedCopy:
        """Write a mended copy of the data set into the folder `out`, and check it.

        See `boxmask.doctor.fix.fix.fix_data`, which also tells what it raises.
        """
        from boxmask.doctor.fix.fix import fix_data

        return fix_data(self, Path(out), photos=photos)
