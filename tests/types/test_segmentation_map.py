from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.errors import UsageError
from boxmask.types import IGNORED, SegmentationMap

NAMES = ("road", "sky", "tree")


@pytest.fixture
def label_map() -> SegmentationMap:
    labels = np.ones((4, 10), dtype=np.uint8)
    labels[3] = 0
    return SegmentationMap(labels, NAMES)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    Image.new("RGB", (10, 4), (90, 120, 60)).save(file)
    return file


def test_labels_are_counted_by_the_class_names() -> None:
    with pytest.raises(ValueError, match=r"labels: expected 0\.\.1, found 2"):
        SegmentationMap(np.full((2, 2), 2, dtype=np.uint8), ("a", "b"))
    mixed = np.array([[IGNORED, 2]], dtype=np.uint8)
    with pytest.raises(ValueError, match="found 2"):
        SegmentationMap(mixed, ("a", "b"))
    assert len(SegmentationMap(np.full((2, 2), IGNORED, dtype=np.uint8), ("a", "b"))) == 0


def test_length_and_regions_are_of_the_classes_that_occur(label_map: SegmentationMap) -> None:
    assert len(label_map) == 2
    sky, road = label_map
    assert (sky.name, sky.share, road.name, road.share) == ("sky", 0.75, "road", 0.25)
    assert int(road.mask.sum()) == 10
    assert label_map[0] == sky
    assert label_map[-1] == road


def test_a_name_gives_the_mask_of_a_class(label_map: SegmentationMap) -> None:
    assert label_map["road"].sum() == 10
    assert label_map["tree"].sum() == 0
    with pytest.raises(UsageError, match="there is no class 'sea'; the classes are: road, sky, tree"):
        label_map["sea"]


@pytest.mark.parametrize("as_array", [False, True])
def test_a_mask_keeps_its_pixels(label_map: SegmentationMap, as_array: bool) -> None:
    mask = torch.zeros(4, 10, dtype=torch.bool)
    mask[:, :5] = True
    kept = label_map[mask.numpy() if as_array else mask]
    assert kept.shares() == {"sky": 0.375, "road": 0.125}
    assert (kept.labels == IGNORED).sum() == 20
    with pytest.raises(ValueError, match=r"mask: expected bool"):
        label_map[torch.zeros(4, 10)]


def test_filter_by_name(label_map: SegmentationMap) -> None:
    assert label_map.filter(names=["road"]).shares() == {"road": 0.25}
    assert label_map.filter(names=NAMES) == label_map
    with pytest.raises(UsageError, match="there is no class 'sea'"):
        label_map.filter(names=["sea"])


def test_equality_by_value(label_map: SegmentationMap) -> None:
    assert label_map == SegmentationMap(label_map.labels.copy(), NAMES, "photo.jpg")
    assert label_map != SegmentationMap(label_map.labels, ("road", "sky", "car"))
    assert label_map != label_map.filter(names=["road"])
    assert label_map != 3


def test_it_reads_as_one_line(label_map: SegmentationMap) -> None:
    assert repr(label_map) == "SegmentationMap(10x4 pixels: sky 75.0%, road 25.0%)"


def test_plot_draws_on_the_photo(label_map: SegmentationMap, photo: Path) -> None:
    shown = replace(label_map, photo=str(photo))
    assert shown.plot().size[0] == 10
    assert shown._repr_png_() is not None
    unknown = SegmentationMap(label_map.labels, NAMES)
    assert unknown._repr_png_() is None
    with pytest.raises(UsageError, match="Pass the photo"):
        unknown.plot()
    assert np.array_equal(np.array(unknown.plot(photo)), np.array(shown.plot()))


def test_save_by_the_suffix(label_map: SegmentationMap, tmp_path: Path) -> None:
    label_map.save(tmp_path / "map.png")
    assert np.array_equal(np.array(Image.open(tmp_path / "map.png")), label_map.labels)
    label_map.save(tmp_path / "map.csv")
    rows = list(csv.reader((tmp_path / "map.csv").open()))
    assert rows == [["name", "share", "pixels"], ["sky", "0.75", "30"], ["road", "0.25", "10"]]
    with pytest.raises(UsageError, match=r'saved as \.png or \.csv, not as "\.jpg"'):
        label_map.save(tmp_path / "map.jpg")


def test_to_pandas(label_map: SegmentationMap) -> None:
    pytest.importorskip("pandas")
    assert label_map.to_pandas().pixels.tolist() == [30, 10]


def test_the_labels_are_an_array_and_tensors_become_one(label_map: SegmentationMap) -> None:
    assert SegmentationMap(torch.from_numpy(label_map.labels), NAMES) == label_map
    assert isinstance(SegmentationMap(torch.from_numpy(label_map.labels), NAMES).labels, np.ndarray)
    assert isinstance(label_map["road"], np.ndarray)
    assert label_map[np.int64(0)] == label_map[0]
    assert SegmentationMap(np.zeros((0, 5), dtype=np.uint8), NAMES).shares() == {}
