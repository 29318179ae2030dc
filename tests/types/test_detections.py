"""Detections, as their users hold them."""

from __future__ import annotations

import csv
import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.errors import OutputError, UsageError
from boxmask.masks import Masks
from boxmask.types import Detection, Detections

BOXES = np.array([[0, 0, 10, 20], [5, 5, 6, 7]], dtype=np.float32)
LABELS = np.array([1, 0])


def detections(scores: np.ndarray | None = None, labels: np.ndarray = LABELS) -> Detections:
    found = np.array([0.9, 0.4], dtype=np.float32) if scores is None else scores
    return Detections(BOXES, found, labels, ("cat", "dog"), (30, 40))


@pytest.fixture
def masked() -> Detections:
    dense = np.zeros((2, 30, 40), dtype=bool)
    dense[0, :20, :10] = True
    dense[1, 5:7, 5] = True
    return replace(detections(), masks=Masks.from_dense(dense))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    Image.new("RGB", (40, 30), (90, 120, 60)).save(file)
    return file


def test_detections_know_their_names() -> None:
    assert detections().names == ["dog", "cat"]
    assert len(detections()) == 2


def test_filter_by_score() -> None:
    kept = detections().filter(min_score=0.5)
    assert kept.names == ["dog"]
    assert kept.boxes.tolist() == [[0, 0, 10, 20]]
    assert len(detections().filter(min_score=0.9)) == len(kept) == 1  # at least, in float32's 0.9
    assert len(detections().filter(min_score=1.0)) == 0


@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        (np.array([0.9], dtype=np.float32), LABELS, "scores: expected"),
        (np.array([0.9, 0.4]), LABELS, r"scores: expected float32 \(2\), found float64 \(2,\)"),
        (None, np.array([0, 2]), r"labels: expected 0..1, found \(0, 2\)"),
        (None, np.array([-1, 0]), r"labels: expected 0..1, found \(-1, 0\)"),
    ],
)
def test_detections_that_cannot_be(scores: np.ndarray | None, labels: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        detections(scores, labels)


def test_to_supervision() -> None:
    converted = detections().to_supervision()
    assert np.array_equal(converted.xyxy, BOXES)
    assert converted.class_id is not None
    assert converted.class_id.tolist() == [1, 0]
    assert converted.confidence is not None
    np.testing.assert_allclose(converted.confidence, [0.9, 0.4], rtol=1e-6)
    assert list(converted.data["class_name"]) == ["dog", "cat"]


def test_nothing_found_to_supervision() -> None:
    assert len(detections().filter(min_score=1.0).to_supervision()) == 0


# ---------------------------------------------------------------- one and some


def test_iterating_gives_one_object_after_another(masked: Detections) -> None:
    first, second = masked
    assert first == masked[0]
    assert (first.name, first.label, first.box) == ("dog", 1, (0, 0, 10, 20))
    assert first.score == pytest.approx(0.9)
    assert second.mask is not None
    assert second.mask.shape == (30, 40)
    assert second.mask.sum() == 2
    assert masked[-1] == second
    assert detections()[0].mask is None
    with pytest.raises(IndexError):
        masked[2]


def test_crops_cut_the_objects_out_of_the_upright_photo(tmp_path: Path) -> None:
    stored = Image.new("RGB", (30, 40), (90, 120, 60))
    stored.paste((255, 0, 0), (0, 30, 20, 40))  # shown upright, this is the dog's box
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn to the left
    stored.save(tmp_path / "photo.png", exif=exif)
    dog, cat = detections().crops(tmp_path / "photo.png")
    assert (dog.size, cat.size) == ((10, 20), (1, 2))
    assert np.array_equal(np.unique(np.array(dog).reshape(-1, 3), axis=0), [[255, 0, 0]])
    assert detections()[[]].crops(tmp_path / "photo.png") == []
    with pytest.raises(UsageError, match="Pass the photo"):
        detections().crops()


def test_the_crop_of_a_box_without_width_has_a_pixel() -> None:
    boxes = np.array([[5, 5, 5, 9], [20, 10, 20, 10], [-3, -3, 99, 99]], dtype=np.float32)
    scores, labels = np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.int64)
    found = Detections(boxes, scores, labels, ("cat",), (10, 20))
    crops = found.crops(np.zeros((10, 20, 3), dtype=np.uint8))
    assert [crop.size for crop in crops] == [(1, 4), (1, 1), (20, 10)]


@pytest.mark.parametrize(
    "rows",
    [
        slice(1, None),
        [1],
        [False, True],
        np.array([False, True]),
        torch.tensor([1]),
        torch.tensor([False, True]),
    ],
)
def test_a_slice_a_mask_or_numbers_select_some(masked: Detections, rows: slice) -> None:
    some = masked[rows]
    assert isinstance(some, Detections)
    assert some.names == ["cat"]
    assert some.masks is not None
    assert some.masks.areas().tolist() == [2]
    assert some.photo == masked.photo


def test_a_comparison_of_scores_selects_some(masked: Detections) -> None:
    assert masked[masked.scores > 0.5].names == ["dog"]
    assert len(masked[masked.scores > 0.95]) == len(masked[[]]) == 0


def test_the_fields_are_arrays_and_tensors_become_arrays() -> None:
    scores = torch.tensor([0.9, 0.4], requires_grad=True)
    found = Detections(torch.from_numpy(BOXES), scores, torch.from_numpy(LABELS), ("cat", "dog"), (30, 40))
    assert found == detections()
    assert all(isinstance(field, np.ndarray) for field in (found.boxes, found.scores, found.labels))


def test_a_number_of_numpy_is_an_index(masked: Detections) -> None:
    assert masked[masked.scores.argmin()] == masked[1]


def test_filter_by_name(masked: Detections) -> None:
    assert masked.filter(names=["cat"]).names == ["cat"]
    assert masked.filter(names=["cat", "dog"]) == masked
    assert len(masked.filter(names=["cat"], min_score=0.5)) == 0
    with pytest.raises(UsageError, match="there is no class 'cow'; the classes are: cat, dog"):
        masked.filter(names=["cow"])


def test_equality_by_value(masked: Detections) -> None:
    assert masked == replace(masked, boxes=BOXES.copy(), photo="elsewhere.jpg")
    assert masked != detections()
    assert masked != masked[:1]
    assert detections() != replace(detections(), size=(40, 30))
    assert detections() != "text"


def test_they_read_as_one_line() -> None:
    assert repr(detections()) == "Detections(2 in 40x30 pixels: 1 dog, 1 cat; scores 0.40 to 0.90)"
    assert repr(detections()[[]]) == "Detections(0 in 40x30 pixels)"


# ---------------------------------------------------------------- shown and written


def test_plot_draws_on_the_photo_they_were_found_in(photo: Path) -> None:
    found = replace(detections(), photo=photo)
    assert found.photo == photo
    plain, picture = np.array(Image.open(photo)), np.array(found.plot())
    assert picture.shape == plain.shape
    assert (picture != plain).any()
    assert np.array_equal(np.array(detections().plot(photo)), picture)
    assert np.array_equal(np.array(found.plot(min_score=1.0)), plain)
    assert found._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"  # type: ignore[index]


def test_plot_of_an_array_needs_the_array(photo: Path) -> None:
    pixels = np.array(Image.open(photo))
    found = detections()
    assert found.photo is None
    assert found._repr_png_() is None
    with pytest.raises(UsageError, match=r"for example plot\(photo\)"):
        found.plot()
    assert found.plot(pixels).size == (40, 30)
    with pytest.raises(
        UsageError, match=r"expected a photo of \(height, width\) \(30, 40\), found \(40, 30\)"
    ):
        found.plot(pixels.transpose(1, 0, 2))


def test_save_by_the_suffix(masked: Detections, photo: Path, tmp_path: Path) -> None:
    found = replace(masked, photo=photo)
    found.save(tmp_path / "out.json")
    content = json.loads((tmp_path / "out.json").read_text())
    assert [image["file_name"] for image in content["images"]] == [photo.as_posix()]
    assert [annotation["category_id"] for annotation in content["annotations"]] == [2, 1]
    found.save(str(tmp_path / "out.csv"))
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert rows[0] == {
        "name": "dog",
        "score": "0.9",
        "x1": "0.0",
        "y1": "0.0",
        "x2": "10.0",
        "y2": "20.0",
        "area": "200",
    }
    found.save(tmp_path / "out.jpg")
    assert Image.open(tmp_path / "out.jpg").size == (40, 30)
    with pytest.raises(UsageError, match=r'saved as \.json, \.csv, \.jpg or \.png, not as "\.txt"'):
        found.save(tmp_path / "out.txt")
    assert not (tmp_path / "out.txt").exists()


def test_to_pandas(masked: Detections) -> None:
    pandas = pytest.importorskip("pandas")
    table = masked.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert table.name.tolist() == ["dog", "cat"]
    assert table.area.tolist() == [200, 2]
    assert list(detections().to_pandas().columns) == ["name", "score", "x1", "y1", "x2", "y2"]


def test_to_pandas_without_pandas(masked: Detections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        masked.to_pandas()


def test_a_detection_reads_without_its_mask(masked: Detections) -> None:
    assert repr(masked[1]).startswith("Detection(box=(5.0, 5.0, 6.0, 7.0), score=0.4")
    assert "masks" not in repr(masked[1])
    assert isinstance(masked[1], Detection)


def test_to_segmentation_map(masked: Detections) -> None:
    label_map = masked.to_segmentation_map()
    assert label_map.class_names == ("background", "cat", "dog")
    assert label_map["dog"].sum() == 200  # the dog has the higher score, and covers the cat
    assert label_map["cat"].sum() == 0
    assert masked[1:].to_segmentation_map()["cat"].sum() == 2
    assert masked[[]].to_segmentation_map().shares() == {"background": 1.0}
    with pytest.raises(UsageError, match="boxes only"):
        detections().to_segmentation_map()


def test_a_single_name_and_a_list_of_names_filter_alike(masked: Detections) -> None:
    assert masked.filter(names="cat") == masked.filter(names=["cat"])


def test_a_segmentation_map_cannot_hold_as_many_classes_as_its_labels_would_need(masked: Detections) -> None:
    names = tuple(f"class {number}" for number in range(255))
    assert replace(masked, class_names=names[:254]).to_segmentation_map().labels.max() == 2
    with pytest.raises(UsageError, match="at most 254 classes besides the background"):
        replace(masked, class_names=names).to_segmentation_map()


def test_names_are_compared_in_one_unicode_form(masked: Detections) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    named = replace(masked, class_names=(composed, "dog"))
    assert named.filter(names=decomposed).names == [composed]
    assert named.filter(names=[f" {decomposed}", "dog"]) == named


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize("score", [float("nan"), 7, -1, float("inf"), 50])
def test_a_minimum_score_outside_0_to_1_is_refused(score: float) -> None:
    with pytest.raises(UsageError, match=f"min_score: expected 0 to 1, found {score:g}"):
        detections().filter(min_score=score)
    with pytest.raises(UsageError, match="min_score: expected 0 to 1"):
        detections().plot(Image.new("RGB", (40, 30)), min_score=score)


def test_a_name_as_an_index_says_what_to_use() -> None:
    with pytest.raises(
        UsageError,
        match=r"expected an index, a slice or a mask, found a name\. Select .*filter\(names='cat'\)",
    ):
        detections()["cat"]  # type: ignore[call-overload]


def test_plot_into_a_file_says_what_to_use(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError,
        match=r"y\.png: expected the photo that .*found no such file\. To write a picture, use save",
    ):
        detections().plot(tmp_path / "y.png")


def test_saving_twice_replaces_only_ones_own_file(tmp_path: Path) -> None:
    for _ in range(2):
        detections().save(tmp_path / "found.json")
        detections().save(tmp_path / "found.csv")
    (tmp_path / "found.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"found\.csv: is not replaced"):
        detections().save(tmp_path / "found.csv")


def test_boxes_that_are_not_finite_cannot_be_saved(tmp_path: Path) -> None:
    boxes = np.full((1, 4), np.nan, dtype=np.float32)
    broken = Detections(boxes, np.array([0.5], dtype=np.float32), np.array([0]), ("cat",), (50, 60))
    with pytest.raises(
        OutputError, match=r"found\.json: cannot be written, because a value is NaN or infinite"
    ):
        broken.save(tmp_path / "found.json")
    assert not (tmp_path / "found.json").exists()
