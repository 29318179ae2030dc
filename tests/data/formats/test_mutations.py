"""Random changes to valid label files: the right labels, or an error that names the file."""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.errors import LabelError

SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]
DOCUMENT: dict[str, Any] = {
    "images": [{"id": n, "file_name": f"{n}.png", "width": 60, "height": 40} for n in range(3)],
    "annotations": [
        {"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [4, 5, 30, 9], "segmentation": [SQUARE, SQUARE]},
        {
            "id": 3,
            "image_id": 1,
            "category_id": 1,
            "bbox": [0, 0, 60, 40],
            "segmentation": {"size": [40, 60], "counts": [400, 20, 1980]},
        },
    ],
    "categories": [{"id": 1, "name": "cat", "supercategory": "pet"}, {"id": 2, "name": "dog"}],
}
VOC = """<annotation>
<filename>0.png</filename>
<size><width>60</width><height>40</height><depth>3</depth></size>
<object>
<name>cat</name>
<difficult>0</difficult>
<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>30</ymax></bndbox>
</object>
<object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>60</xmax><ymax>40</ymax></bndbox></object>
</annotation>
"""

numbers = st.sampled_from(
    [0, 1, -1, 2, 1.0, 0.5, 1e400, -1e400, 2**31, 2**63, 2**64, 10**400, -(10**400), 1e308]
)
others = st.sampled_from(
    [None, True, "", "1", "0", "cat", "1e999", [], {}, [[]], [None], "\u0000", float("nan")]
)
values = st.recursive(
    numbers | others | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mutations")
    for n in range(3):
        Image.new("L", (60, 40)).save(root / f"{n}.png")
    return root


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


PATHS = list(paths(DOCUMENT))


def read(root: Path, label_file: Path, on_bad_boxes: OnBadBoxes | None = None) -> DetectionDataset | None:
    """The labels; None for an error that names the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return read_detection(root, on_bad_boxes=on_bad_boxes)
        except LabelError as error:
            message = str(error)
    assert label_file.name in message or "no labels found" in message
    assert len(message) < 10_000
    return None


def check(dataset: DetectionDataset) -> None:
    """What any data set promises."""
    edges = np.repeat(dataset.sizes[:, ::-1], np.diff(dataset.offsets), axis=0)
    assert (dataset.boxes >= 0).all()
    assert (dataset.boxes[:, 2:] <= edges).all()
    assert (dataset.boxes[:, 2:] > dataset.boxes[:, :2]).all()
    assert np.isfinite(dataset.areas).all()
    assert (dataset.areas > 0).all()
    assert ((dataset.labels >= 0) & (dataset.labels < len(dataset.class_names))).all()
    for photo in range(len(dataset)):
        dataset.target(photo)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    changes=st.lists(st.tuples(st.sampled_from(PATHS), values), min_size=1, max_size=3),
    on_bad_boxes=st.sampled_from([None, "skip", "error"]),
)
def test_values_of_a_coco_file(
    folder: Path, changes: list[tuple[tuple[Any, ...], Any]], on_bad_boxes: OnBadBoxes | None
) -> None:
    document = copy.deepcopy(DOCUMENT)
    for path, value in changes:
        *parents, last = path
        holder = document
        try:
            for key in parents:
                holder = holder[key]
            holder[last] = value
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change removed the place
    label_file = folder / "labels.json"
    label_file.write_text(json.dumps(document))
    dataset = read(folder, label_file, on_bad_boxes)
    label_file.unlink()
    if dataset is not None:
        check(dataset)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.sampled_from(PATHS), action=st.sampled_from(["remove", "repeat", "nest"]))
def test_structure_of_a_coco_file(folder: Path, path: tuple[Any, ...], action: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    if action == "remove":
        del holder[path[-1]]
    elif action == "nest":
        holder[path[-1]] = [holder[path[-1]]]
    elif isinstance(holder, list):
        holder.insert(0, holder[path[-1]])
    label_file = folder / "labels.json"
    label_file.write_text(json.dumps(document))
    dataset = read(folder, label_file)
    label_file.unlink()
    if dataset is not None:
        check(dataset)


TOKENS = sorted(set(re.findall(r"<[^<>]+>|[^<>\s]+", VOC)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from(TOKENS),
            st.sampled_from(TOKENS)
            | numbers.map(str)
            | st.sampled_from(["", "nan", "-5", "1,5", "&lt;", "&", "é"]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_tokens_of_a_voc_file(folder: Path, changes: list[tuple[str, str]]) -> None:
    text = VOC
    for old, new in changes:
        text = text.replace(old, new, 1)
    label_file = folder / "0.xml"
    label_file.write_text(text)
    dataset = read(folder, label_file)
    label_file.unlink()
    if dataset is not None:
        check(dataset)


ELEMENTS = re.findall(r"<(?:name|size|width|filename|difficult|bndbox|xmin|object)>.*?</\w+>", VOC, re.DOTALL)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(element=st.sampled_from(ELEMENTS), place=st.integers(0, len(VOC)))
def test_no_object_is_lost_when_an_element_is_repeated(folder: Path, element: str, place: int) -> None:
    label_file = folder / "0.xml"
    label_file.write_text(VOC[:place] + element + VOC[place:])
    dataset = read(folder, label_file)
    label_file.unlink()
    if dataset is not None:
        check(dataset)
        assert sorted(dataset.boxes.tolist()) == [[0, 0, 60, 40], [4, 5, 25, 30]]
