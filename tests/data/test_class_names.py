"""Class names that are spelled alike are noted."""

from __future__ import annotations

import unicodedata

from boxmask.data.class_names import notes_on_class_names

CAT_NFC = "고양이"
CAT_NFD = unicodedata.normalize("NFD", CAT_NFC)


def test_merged_and_similar_classes_are_noted() -> None:
    notes = notes_on_class_names([CAT_NFC, CAT_NFD, "traffic light", "Traffic_light", "dog", "dog", "dogs"])
    assert notes == (
        "spellings that differ only in Unicode form or outer spaces count as one class:\n"
        f'  "{CAT_NFC}" (2 spellings)',
        "classes that differ only in case, spaces, - or _ stay separate classes:\n"
        '  "Traffic_light" and "traffic light"',
    )
    assert notes_on_class_names(["cat", "dog", "cat"]) == ()
