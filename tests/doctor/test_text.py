"""The report as text for a terminal."""

from __future__ import annotations

from boxmask.doctor.report import CheckReport
from boxmask.doctor.text import color_report, format_totals
from boxmask.messages import printable


def test_errors_come_first_and_each_kind_has_its_remedy(report: CheckReport) -> None:
    lines = str(report).splitlines()
    headings = [line for line in lines if line in ("ERRORS", "WARNINGS", "NOTES")]
    assert headings == ["ERRORS", "WARNINGS", "NOTES"]
    start = lines.index("Boxes without width or height (6) [box-empty]")
    assert lines[start + 1].endswith("annotations[0]: cat in images/train/0.jpg has no width")
    assert lines[start + 6] == "  and 1 more"
    assert lines[start + 7] == "  → Draw these boxes again."


def test_the_last_line_counts(report: CheckReport) -> None:
    assert str(report).splitlines()[-1] == format_totals(report)
    assert format_totals(report).endswith(
        "(COCO JSON): 6 photos, 9 objects, 2 classes: 7 errors, 2 warnings, 1 note"
    )


def test_without_findings_there_is_one_line(empty_report: CheckReport) -> None:
    text = str(empty_report)
    assert "\n" not in text
    assert text.endswith("(Pascal VOC): 0 photos: 0 errors, 0 warnings, 0 notes")


def test_names_cannot_control_the_terminal(report: CheckReport) -> None:
    assert "\x1b" not in str(report)
    assert "broken \\x1b[31m" in str(report)
    assert printable("a\udce9\u202eb\nc") == "a\\udce9\\u202eb\nc"


def test_colors_change_no_character(report: CheckReport) -> None:
    assert color_report(str(report)).plain == str(report)
