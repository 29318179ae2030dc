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
        "data.csv:4: \"dog\" (2 spellings): 'dog' in data.csv:3 and 'dog ' in data.csv:4",
        f'data.csv:2: "{CAT_NFC}" (2 spellings): {CAT_NFD!r} in data.csv:2 and {CAT_NFC!r} in data.csv:1',
    ]
    assert len(findings) == 2
