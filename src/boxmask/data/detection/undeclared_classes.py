"""Classes of objects that their project does not declare."""

from __future__ import annotations

import difflib

import numpy as np

from boxmask.data.checks.object_findings import class_finding
from boxmask.data.findings import Findings, Kind
from boxmask.data.formats.labels import Labels
from boxmask.messages import format_count

CLASS_UNDECLARED = Kind(
    "class-undeclared",
    "warning",
    "Classes that the labeling project does not declare",
    "Correct these names, or add them to the classes of the project: to VIA's options, CVAT's labels, or "
    "Label Studio's labeling config.",
)


def check_undeclared_classes(labels: Labels, findings: Findings) -> None:
    """Find classes of objects that are not among those that the labels declare, if they declare any."""
    declared = set(labels.declared_names)
    counts = np.bincount(labels.labels, minlength=len(labels.class_names))
    for label in np.flatnonzero(counts).tolist() if declared else ():
        name = labels.class_names[label]
        if name not in declared:
            similar = difflib.get_close_matches(name, labels.declared_names, n=1)
            hint = f'; did you mean "{similar[0]}"?' if similar else ""
            detail = f'"{name}": {format_count(int(counts[label]), "object")}{hint}'
            findings.add(class_finding(labels, CLASS_UNDECLARED, label, detail))
