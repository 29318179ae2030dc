"""Entries of COCO files are decoded one by one, with the same result as by the standard library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxmask.data.detection.examine import examine
from boxmask.data.findings import Findings
from boxmask.data.formats.coco.entries import LISTS, read_entries
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.errors import LabelError

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def document(coco: Make, annotation: Make) -> dict[str, Any]:
    boxes = [annotation(n % 3, 1, [n, 5, 20, 20.5], area=99 + n, note={"by": "me"}) for n in range(7)]
    return coco([(n, f"사진 {n}.jpg") for n in range(3)], boxes)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_entries_and_lines(
    tmp_path: Path, document: dict[str, Any], indent: int | None, ensure_ascii: bool
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=ensure_ascii), encoding="utf-8")
    entries = read_entries(path)
    lines = JsonPlaces(path)
    for key in LISTS:
        assert [entries.entry(key, index) for index in range(len(entries.lists[key]))] == document[key]
        for index in reversed(range(len(document[key]))):
            expected = lines.location(key, index, document[key][index]["id"])
            assert entries.location(key, index) == expected


def test_a_file_with_nan_gives_the_same_labels(tmp_path: Path, document: dict[str, Any]) -> None:
    def labels_of(content: dict[str, Any]) -> Any:
        (tmp_path / "a.json").write_text(json.dumps(content))
        return examine(tmp_path, Findings(), photos=False).labels

    quick, slow = labels_of(document), labels_of({**document, "info": float("nan")})
    for name in ("photo_of", "boxes", "labels", "areas", "crowd"):
        assert getattr(quick, name).tolist() == getattr(slow, name).tolist()
    assert quick.location(6).entry == slow.location(6).entry == "annotations[6] (id 106)"
    assert quick.attributes.objects[6]["note"] == slow.attributes.objects[6]["note"] == {"by": "me"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"category_id": 1', '"category_id": 1, "category_id": 2'),
        ('"bbox": [', '"bbox": [9, 9, 9, 9], "bbox": ['),
        ('"file_name": "', '"file_name": "x.jpg", "file_name": "'),
        ('"categories": [', '"categories": [], "categories": ['),
        ('"by": "me"', '"by": "me", "id": 3, "id": 4'),
    ],
)
def test_keys_with_two_values_are_found(tmp_path: Path, document: dict[str, Any], old: str, new: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document).replace(old, new, 1))
    findings = Findings()
    with pytest.raises(LabelError, match=r"name no photo|again with another value"):
        examine(tmp_path, findings, photos=False)
    assert "again with another value" in "".join(map(str, findings))


def test_the_same_value_twice_is_accepted(tmp_path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document).replace('"category_id": 1', '"category_id": 1, "category_id": 1', 1)
    (tmp_path / "a.json").write_text(text)
    assert len(examine(tmp_path, Findings(), photos=False).labels.photo_of) == 7


def test_deep_nesting_is_an_error(tmp_path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document).replace('{"by": "me"}', "[" * 100_000 + "]" * 100_000, 1)
    (tmp_path / "a.json").write_text(text)
    findings = Findings()
    with pytest.raises(LabelError):
        examine(tmp_path, findings, photos=False)
    assert [finding.kind.id for finding in findings] == ["file-unreadable"]
