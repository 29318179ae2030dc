import pytest

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.errors import LabelError

EMPTY = Kind("box-empty", "error", "Empty boxes", "Remove them.")
TINY = Kind("box-tiny", "warning", "Tiny boxes", "Look at them.")


def test_a_location_names_file_line_and_entry() -> None:
    assert str(Location("a.xml")) == "a.xml"
    assert str(Location("a.xml", 3)) == "a.xml:3"
    assert str(Location("a.json", 3, "annotations[1] (id 7)")) == "a.json:3: annotations[1] (id 7)"


def test_errors_are_raised_with_all_locations_and_the_remedy() -> None:
    findings = Findings()
    findings.add(Finding(TINY, Location("a.xml", 9)))
    findings.add(Finding(EMPTY, Location("a.xml", 3), "0 wide"))
    findings.add(Finding(EMPTY, Location("b.xml", 4), "0 high"))
    with pytest.raises(LabelError) as error:
        findings.raise_errors()
    assert str(error.value) == "Empty boxes (2):\n  a.xml:3: 0 wide\n  b.xml:4: 0 high\nRemove them."


def test_warnings_are_notes_and_raise_nothing() -> None:
    findings = Findings()
    findings.add(Finding(TINY, Location("a.xml", 9), "1 wide"))
    findings.raise_errors()
    assert findings.notes() == ("Tiny boxes (1):\n  a.xml:9: 1 wide",)


def test_findings_beyond_the_limit_are_counted_but_not_kept() -> None:
    findings = Findings(max_per_kind=2)
    for line in range(5):
        findings.add(Finding(TINY, Location("a.xml", line)))
    assert len(findings.of(TINY)) == 2
    assert findings.count(TINY) == len(findings) == 5
