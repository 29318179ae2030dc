from pathlib import Path

import pytest

from boxmask.data.findings import Finding, Findings, Kind, Location, finding_of_error
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


def test_an_error_in_a_file_keeps_its_place_and_its_reason() -> None:
    path = Path("a:3: b.json")
    error = LabelError.in_file(path, "broken JSON", 7, 2)
    assert str(error) == "a:3: b.json:7:2: broken JSON"
    assert (error.file, error.line, error.column, error.reason) == (str(path), 7, 2, "broken JSON")
    finding = finding_of_error(EMPTY, path, error)
    assert finding.location == Location(str(path), 7)
    assert finding.detail == "column 2: broken JSON"


def test_an_error_elsewhere_is_told_in_full() -> None:
    elsewhere = LabelError.in_file("b.json", "broken JSON", 7)
    assert finding_of_error(EMPTY, Path("a.json"), elsewhere).detail == "b.json:7: broken JSON"
    assert finding_of_error(EMPTY, Path("a.json"), LabelError("3 are wrong")).detail == "3 are wrong"
    assert LabelError("3 are wrong").reason == "3 are wrong"
