"""Classes with few objects, also in a split."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boxmask.data.checks.class_counts import (
    check_class_counts,
    check_classes_of_splits,
    check_empty_classes,
)
from boxmask.data.checks.examination import Examination
from boxmask.data.findings import Finding

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
BOX = (5.0, 5, 50, 50)
SPLITS = ["train", "val", "test"]


def objects_of(counts: Mapping[str, int], photo: int = 0) -> list[tuple[int, str, tuple[float, ...]]]:
    return [(photo, name, BOX) for name, count in counts.items() for _ in range(count)]


def test_empty_rare_and_common_classes(examination_of: Make, found_by: Find) -> None:
    objects = objects_of({"cat": 90, "dog": 10, "cow": 9})
    examination = examination_of(objects, classes=["cat", "dog", "cow", "hen"])
    assert list(map(str, found_by(check_empty_classes, examination))) == ['data: "hen"']
    found = found_by(check_class_counts, examination)
    assert [(finding.kind.id, str(finding)) for finding in found] == [
        ("class-rare", 'labels.csv:101: "cow": 9 objects'),
        (
            "class-imbalance",
            'labels.csv:101: "cat" has 90 objects and "cow" has 9 objects: 10 times as many',
        ),
    ]


def test_balanced_classes(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_class_counts, examination_of(objects_of({"cat": 99, "dog": 10}))) == []
    assert found_by(check_class_counts, examination_of()) == []


def test_crowds_and_difficult_objects_do_not_count(examination_of: Make, found_by: Find) -> None:
    examination = examination_of(objects_of({"cat": 2}), crowd=[0], difficult=[1])
    assert [finding.kind.id for finding in found_by(check_empty_classes, examination)] == ["class-empty"]


def test_a_class_that_a_split_lacks(examination_of: Make, found_by: Find) -> None:
    objects = [
        *objects_of({"cat": 9, "dog": 8}, photo=0),
        *objects_of({"cat": 2, "dog": 2}, photo=1),
        *objects_of({"cat": 2, "hen": 1}, photo=2),
    ]
    found = found_by(check_classes_of_splits, examination_of(objects, files=3, splits=SPLITS))
    assert [finding.detail for finding in found] == [
        '"hen" has no object in train: 1 in test',
        '"dog" has no object in test: 8 in train, 2 in val',
    ]


def test_rare_classes_need_not_be_in_all_splits(examination_of: Make, found_by: Find) -> None:
    objects = [*objects_of({"cat": 10, "dog": 9}, 0), *objects_of({"cat": 1}, 1), *objects_of({"cat": 1}, 2)]
    assert found_by(check_classes_of_splits, examination_of(objects, files=3, splits=SPLITS)) == []


def test_splits_that_the_data_set_does_not_name_lack_nothing(examination_of: Make, found_by: Find) -> None:
    objects = objects_of({"cat": 30})
    assert found_by(check_classes_of_splits, examination_of(objects)) == []
    assert found_by(check_classes_of_splits, examination_of(objects, splits=["train"])) == []


def test_objects_outside_all_splits(examination_of: Make, found_by: Find) -> None:
    examination = examination_of(objects_of({"cat": 3}, 1), files=2, splits=["train", None])
    found = found_by(check_classes_of_splits, examination)
    assert [finding.detail for finding in found] == ['"cat" has no object in train: none in a split']
