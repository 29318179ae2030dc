"""The same labels train the same model in every format, with the same seed.

See docs/decisions/0036-order-of-labels.md.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from torch import Tensor

from boxmask.data.conversion.convert import convert
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.data.formats.table import WRITERS
from boxmask.data.split_file import write_split_file
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.train import train
from boxmask.weights.checkpoint import read_checkpoint

FORMATS = sorted({writer.NAME for writer in WRITERS} - {"class-folders", "instance-maps", "label-maps"})
"""Those that hold boxes with classes."""

WITH_OUTLINES = sorted({*FORMATS} - {"createml", "csv"})

Convert: TypeAlias = Callable[[Path, str], Path]
Train: TypeAlias = Callable[[str, Path], dict[str, Tensor]]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """Call it with a data set and a format for the same data set in that format."""

    @cache
    def write(data: Path, form: str) -> Path:
        out = tmp_path_factory.mktemp(form) / "data"
        convert(data, form, out, photos="link")
        return out

    return write


@pytest.fixture(scope="module")
def trained(recipes: dict[str, Recipe], tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Call it with a model and a data set for the weights after three steps."""

    @cache
    def weights(model: str, data: Path) -> dict[str, Tensor]:
        run, _ = train(data, recipes[model], tmp_path_factory.mktemp("run") / "run")
        return read_checkpoint(Run(run.path).last_checkpoint)[0]

    return weights


def assert_same_labels(found: DetectionDataset, expected: DetectionDataset, tolerance: float = 0.0) -> None:
    """Photos, classes, objects and masks are the same, in each split. Photos may lie in other folders."""
    assert found.class_names == expected.class_names
    for split in ("train", "val", "test"):
        part, whole = found.split(split), expected.split(split)
        assert _names(part) == _names(whole)
        assert np.abs(part.boxes - whole.boxes).max(initial=0) <= tolerance
        for name in ("sizes", "offsets", "labels", "crowd", "difficult", "runs"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)), name


def _names(dataset: DetectionDataset) -> list[str]:
    return [Path(file).name for file in dataset.files.tolist()]


def assert_same_weights(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Bit by bit."""
    assert list(found) == list(expected)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


# ---------------------------------------------------------------- converted data sets


@pytest.mark.parametrize("form", FORMATS)
def test_boxes_train_to_the_same_weights(
    form: str, boxes_only: Path, converted: Convert, trained: Train
) -> None:
    data = converted(boxes_only, form)
    assert_same_labels(read_detection(data), read_detection(boxes_only))
    assert_same_weights(trained("faster-rcnn", data), trained("faster-rcnn", boxes_only))


@pytest.mark.parametrize("form", WITH_OUTLINES)
def test_masks_train_to_the_same_weights(form: str, demo: Path, converted: Convert, trained: Train) -> None:
    data = converted(demo, form)
    assert_same_labels(read_detection(data), read_detection(demo))
    assert_same_weights(trained("mask-rcnn", data), trained("mask-rcnn", demo))


@pytest.fixture(scope="module")
def fractions(boxes_only: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set with boxes that are no whole pixels."""
    root = Path(shutil.copytree(boxes_only, tmp_path_factory.mktemp("fractions") / "data"))
    for file in root.glob("instances_*.json"):
        document, order = json.loads(file.read_text()), random.Random(0)
        for annotation in document["annotations"]:
            x, y, width, height = annotation["bbox"]
            annotation["bbox"] = [
                x + order.random(),
                y + order.random(),
                width - 2 * order.random(),
                height - 2,
            ]
        file.write_text(json.dumps(document))
    return root


@pytest.mark.parametrize("form", FORMATS)
def test_fractions_of_pixels_are_the_same_float32(form: str, fractions: Path, converted: Convert) -> None:
    assert_same_labels(read_detection(converted(fractions, form)), read_detection(fractions))


# ---------------------------------------------------------------- the order of entries


def shuffle(file: Path, order: random.Random, category_ids: list[int]) -> None:
    """Bring a COCO file in another order, and number its entries in another way."""
    document: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    images, annotations, categories = (document[key] for key in ("images", "annotations", "categories"))
    new_ids = order.sample(range(9999), len(images))
    image_ids = {image["id"]: new for image, new in zip(images, new_ids, strict=True)}
    for image in images:
        image["id"] = image_ids[image["id"]]
    for annotation in annotations:
        annotation["image_id"] = image_ids[annotation["image_id"]]
        annotation["category_id"] = category_ids[annotation["category_id"]]
    for category in categories:
        category["id"] = category_ids[category["id"]]
    for entries in (images, annotations, categories):
        order.shuffle(entries)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize("model", ["faster-rcnn", "mask-rcnn"])
def test_the_order_of_entries_and_their_ids_do_not_matter(
    model: str, demo: Path, trained: Train, tmp_path: Path
) -> None:
    root, order = Path(shutil.copytree(demo, tmp_path / "data")), random.Random(0)
    category_ids = order.sample(range(99), 10)
    for file in root.glob("instances_*.json"):
        shuffle(file, order, category_ids)
    assert_same_labels(read_detection(root), read_detection(demo))
    assert_same_weights(trained(model, root), trained(model, demo))


# ---------------------------------------------------------------- data sets of other programs


WITH_SPLITS = ("coco", "createml", "csv", "cvat", "labelme", "via", "voc", "yolo")

FRACTION_DIGITS = 2e-6
"""Pixels by which boxes differ that were written with eight digits of a fraction of the photo."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same boxes in each format, written by the scripts of `benchmarks/damaged_data`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        from damaged_data.draft import Draft
        from damaged_data.scenes import load_sample, make_photos
        from damaged_data.writers import WRITERS as OTHER_WRITERS

        root = tmp_path_factory.mktemp("built")
        make_photos(root / "photos", seed=0)
        folders = {name: root / name for name in (*WITH_SPLITS, "label-studio")}
        for name, folder in folders.items():
            Draft(OTHER_WRITERS[name], load_sample(root / "photos"), folder).write()
    for file in folders["coco"].glob("annotations/*.json"):  # the other formats hold boxes only
        document = json.loads(file.read_text())
        for annotation in document["annotations"]:
            del annotation["segmentation"]
        file.write_text(json.dumps(document))
    return folders


@pytest.mark.parametrize("form", WITH_SPLITS)
def test_files_of_other_programs_hold_the_same_boxes(form: str, built: dict[str, Path]) -> None:
    tolerance = FRACTION_DIGITS if form == "yolo" else 0.0
    assert_same_labels(read_detection(built[form]), read_detection(built["voc"]), tolerance)


@pytest.mark.parametrize("form", sorted({*WITH_SPLITS} - {"yolo"}))
def test_files_of_other_programs_train_to_the_same_weights(
    form: str, built: dict[str, Path], trained: Train
) -> None:
    assert_same_weights(trained("faster-rcnn", built[form]), trained("faster-rcnn", built["voc"]))


def test_label_studio_which_has_no_splits_holds_the_same_boxes(built: dict[str, Path]) -> None:
    split = built["label-studio"].with_name("split.json")
    write_split_file(read_detection(built["voc"]), split)
    found = read_detection(built["label-studio"], split_file=split)
    assert_same_labels(found, read_detection(built["voc"]))
