"""The report as JSON. Programs read it: fields may be added, but none is renamed, moved or removed."""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import Any

from boxmask.data.findings import Box, Finding, ModelDetection
from boxmask.doctor.report import SEVERITIES, CheckReport

SCHEMA_VERSION = 1


def report_to_dict(report: CheckReport) -> dict[str, Any]:
    """The report as JSON values.

    version:  of this form
    data:     as the user gave it; `root` is the folder that photos are relative to
    totals:   errors, warnings, notes and photos
    kinds:    id, severity, heading, remedy and count of each kind that was found
    findings: at most `MAX_PER_KIND` of each kind; "listed" of the kind is their number
    summary:  see `Summary`; null if the labels cannot be read
    """
    findings = report.findings
    return {
        "version": SCHEMA_VERSION,
        "boxmask": version("boxmask"),
        "data": str(report.data),
        "root": str(report.root),
        "labels": report.labels,
        "totals": {f"{severity}s": report.count(severity) for severity in SEVERITIES}
        | {"photos": report.num_photos},
        "kinds": [
            {
                "id": kind.id,
                "severity": kind.severity,
                "heading": kind.heading,
                "remedy": kind.remedy,
                "count": findings.count(kind),
                "listed": len(findings.of(kind)),
            }
            for kind in report.kinds()
        ],
        "findings": [_finding(finding) for finding in report],
        "summary": report.summary.to_dict() if report.summary else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    """Numbers that are not finite become null, which JSON has no other word for."""
    return {
        "id": finding.kind.id,
        "severity": finding.kind.severity,
        "file": finding.location.shown_file,
        "line": finding.location.line,
        "entry": finding.location.entry,
        "photo": finding.photo,
        "box": _box(finding.box),
        "detail": finding.detail,
        "remedy": finding.kind.remedy,
        "related": list(finding.related),
        "detection": _detection(finding.detection),
    }


def _box(box: Box | None) -> list[float | None] | None:
    return None if box is None else [float(edge) if math.isfinite(edge) else None for edge in box]


def _detection(detection: ModelDetection | None) -> dict[str, Any] | None:
    if detection is None:
        return None
    return {"class": detection.name, "score": detection.score, "box": _box(detection.box)}
