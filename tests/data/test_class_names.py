"""Class names that are spelled alike become findings."""

from __future__ import annotations

import unicodedata

from boxmask.data.class_names import CLASS_NAME_SPELLINGS, check_class_names
from boxmask.data.findings import Findings, Location

CAT_NFC = "고양이"
CAT_NFD = unicodedata.normalize("NFD", CAT_NFC)


def test_merged_spellings_are_found() -> None:
    findings = Findings()
    check_class_names([CAT_NFC, CAT_NFD, "dog", "dog ", "cow", "cow"], Location("data"), findings)
    details = [finding.detail for finding in findings.of(CLASS_NAME_SPELLINGS)]
    assert details == ['"dog" (2 spellings)', f'"{CAT_NFC}" (2 spellings)']
    assert len(findings) == 2
