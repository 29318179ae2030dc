"""Class names that are spelled alike become findings."""

from __future__ import annotations

import unicodedata
from functools import partial

from boxmask.data.class_names import CLASS_NAME_SPELLINGS, check_class_names
from boxmask.data.findings import Findings, Location

CAT_NFC = "고양이"
CAT_NFD = unicodedata.normalize("NFD", CAT_NFC)


def test_merged_spellings_are_found() -> None:
    findings = Findings()
    names = (CAT_NFC, CAT_NFD, "dog", "dog ", "cow")
    spellings = {name: partial(Location, "data.csv", line) for line, name in enumerate(names, start=1)}
    check_class_names(spellings, findings)
    found = [str(finding) for finding in findings.of(CLASS_NAME_SPELLINGS)]
    assert found == [
        "data.csv:4: \"dog\" (2 spellings): 'dog' and 'dog '",
        f'data.csv:2: "{CAT_NFC}" (2 spellings)',
    ]
    assert len(findings) == 2
