"""The report as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from boxmask.data.findings import Finding, Findings, Kind, Location, ModelDetection
from boxmask.doctor.report import CheckReport
from boxmask.errors import UsageError

FIELDS = {
    "version", "boxmask", "data", "root", "labels", "totals", "kinds", "findings", "summary"
}  # fmt: skip
FIELDS_OF_FINDING = {
    "id", "severity", "file", "line", "entry", "photo", "box", "detail", "remedy", "related",
    "detection",
}  # fmt: skip


def test_the_fields_are_those_that_programs_know(report: CheckReport) -> None:
    content = report.to_dict()
    assert set(content) == FIELDS
    assert content["version"] == 1
    assert content["totals"] == {"errors": 7, "warnings": 2, "notes": 1, "photos": 6}
    findings = content["findings"]
    assert isinstance(findings, list)
    assert all(set(finding) == FIELDS_OF_FINDING for finding in findings)
    assert findings[0] == {
        "id": "box-empty",
        "severity": "error",
        "file": str(report.root / "labels.json"),
        "line": 0,
        "entry": "annotations[0]",
        "photo": "images/train/0.jpg",
        "box": [20.0, 10.0, 20.0, 50.0],
        "detail": "cat in images/train/0.jpg has no width",
        "remedy": "Draw these boxes again.",
        "related": [],
        "detection": None,
    }


def test_kinds_count_findings_that_are_not_listed(tmp_path: Path) -> None:
    findings = Findings(max_per_kind=2)
    kind = Kind("box-tiny", "warning", "Tiny boxes", "Look at them.")
    for line in range(5):
        findings.add(Finding(kind, Location("a.csv", line)))
    content = CheckReport(tmp_path, tmp_path, "", findings, 0).to_dict()
    assert content["kinds"] == [
        {
            "id": "box-tiny",
            "severity": "warning",
            "heading": "Tiny boxes",
            "remedy": "Look at them.",
            "count": 5,
            "listed": 2,
        }
    ]


def test_saved_json_is_strict(report: CheckReport, tmp_path: Path) -> None:
    kind = Kind("box-not-finite", "error", "Boxes that are not finite", "Draw them again.")
    box = (math.nan, 1.0, math.inf, 2.0)
    report.findings.add(Finding(kind, Location("a\udce9.csv"), "", "a.jpg", box))
    report.save(tmp_path / "report.json")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=refuse)
    assert [f["box"] for f in content["findings"] if f["id"] == kind.id] == [[None, 1.0, None, 2.0]]
    assert content["summary"]["objects"] == 9


def test_another_suffix_is_wrong_usage(report: CheckReport, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"written as \.html or \.json"):
        report.save(tmp_path / "report.pdf")


def test_a_file_of_the_user_is_not_replaced(report: CheckReport, tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(UsageError, match="did not write"):
        report.save(tmp_path / "mine.html")


def test_what_a_model_found(tmp_path: Path) -> None:
    kind, findings = Kind("model-wrong-class", "warning", "Wrong classes", "Correct them."), Findings()
    for box in ((1.0, 2.0, 3.0, 4.0), None):
        findings.add(Finding(kind, Location("a.csv"), detection=ModelDetection("cat", 0.75, box)))
    listed = json.loads(json.dumps(CheckReport(tmp_path, tmp_path, "", findings, 0).to_dict()))["findings"]
    assert [finding["detection"] for finding in listed] == [
        {"class": "cat", "score": 0.75, "box": [1.0, 2.0, 3.0, 4.0]},
        {"class": "cat", "score": 0.75, "box": None},
    ]
