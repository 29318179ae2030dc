from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError, UsageError
from boxmask.tasks.segmentation.evaluation import evaluate_and_draw_segmenter
from boxmask.types import IGNORED, SegmentationMap


class Constant:
    """Sees one class everywhere; counts the photos that it was shown."""

    def __init__(self, label: int, names: tuple[str, ...]) -> None:
        self.label, self.config, self.shown = label, SimpleNamespace(class_names=names), 0

    def predict(self, photo: Path) -> SegmentationMap:
        self.shown += 1
        width, height = Image.open(photo).size
        labels = torch.full((height, width), self.label, dtype=torch.uint8)
        return SegmentationMap(labels, self.config.class_names)


def constant(label: int, *names: str) -> Any:
    return Constant(label, names)


@pytest.fixture
def dataset(tmp_path: Path) -> SegmentationDataset:
    """Two photos: one all sky but for a row of void, one half road."""
    root = tmp_path / "set"
    labels = {"a": np.zeros((40, 60), np.uint8), "b": np.zeros((30, 50), np.uint8)}
    labels["a"][0] = IGNORED
    labels["b"][15:] = 1
    for name, label in labels.items():
        for folder, image in (
            ("images", Image.new("RGB", label.shape[::-1])),
            ("masks", Image.fromarray(label)),
        ):
            (root / folder).mkdir(parents=True, exist_ok=True)
            image.save(root / folder / f"{name}.png")
    (root / "classes.txt").write_text("sky\nroad\n")
    return read_unsplit_segmentation(root)


def test_the_figures_are_of_what_it_saw(dataset: SegmentationDataset) -> None:
    told: list[tuple[int, int]] = []
    judged = evaluate_and_draw_segmenter(
        constant(0, "sky", "road"), dataset, progress=lambda *done: told.append(done)
    )
    figures = judged.to_dict()
    sky, road = 39 * 60 + 15 * 50, 15 * 50
    assert figures["pixel_accuracy"] == pytest.approx(sky / (sky + road))
    assert figures["mIoU"] == pytest.approx(sky / (sky + road) / 2)
    assert told == [(1, 2), (2, 2)]


def test_classes_are_matched_by_name(dataset: SegmentationDataset) -> None:
    one, other = constant(1, "sky", "road"), constant(0, "road", "sky")
    assert (
        evaluate_and_draw_segmenter(one, dataset).to_dict()
        == evaluate_and_draw_segmenter(other, dataset).to_dict()
    )


def test_pictures_show_both(dataset: SegmentationDataset, tmp_path: Path) -> None:
    evaluate_and_draw_segmenter(constant(0, "sky", "road"), dataset, pictures=tmp_path / "pictures")
    assert sorted(file.name for file in (tmp_path / "pictures").iterdir()) == ["a.jpg", "b.jpg"]
    assert Image.open(tmp_path / "pictures" / "a.jpg").width >= 2 * 60


def test_labels_are_drawn_in_the_colors_of_what_was_found(
    dataset: SegmentationDataset, tmp_path: Path
) -> None:
    """The same picture, however the segmenter counts its classes."""
    evaluate_and_draw_segmenter(constant(0, "sky", "road"), dataset, pictures=tmp_path / "one")
    evaluate_and_draw_segmenter(constant(1, "road", "sky"), dataset, pictures=tmp_path / "two")
    left = [
        np.array(Image.open(tmp_path / name / "b.jpg").convert("RGB"))[:30, :50] for name in ("one", "two")
    ]
    for picture in left:
        assert np.abs(picture[2:12].astype(int).mean((0, 1)) - picture[18:28].mean((0, 1))).max() > 20


def test_a_photo_is_never_replaced(dataset: SegmentationDataset, tmp_path: Path) -> None:
    for file in (dataset.root / "images").iterdir():
        Image.open(file).save(file.with_suffix(".jpg"))
        file.unlink()
    jpegs = read_unsplit_segmentation(dataset.root)
    before = {file: file.read_bytes() for file in (dataset.root / "images").iterdir()}
    segmenter = constant(0, "sky", "road")
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        evaluate_and_draw_segmenter(segmenter, jpegs, pictures=dataset.root / "images")
    assert segmenter.shown == 0
    assert {file: file.read_bytes() for file in (dataset.root / "images").iterdir()} == before


def test_a_class_that_it_does_not_know(dataset: SegmentationDataset, tmp_path: Path) -> None:
    segmenter = constant(0, "sky")
    with pytest.raises(LabelError, match='"road": 750 pixels in'):
        evaluate_and_draw_segmenter(segmenter, dataset, pictures=tmp_path / "pictures")
    assert segmenter.shown == 0
    judged = evaluate_and_draw_segmenter(segmenter, dataset, "skip", pictures=tmp_path / "pictures")
    assert judged.to_dict()["mIoU"] == 1.0
    assert len(list((tmp_path / "pictures").iterdir())) == 2


def test_no_photos(dataset: SegmentationDataset) -> None:
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_and_draw_segmenter(constant(0, "sky", "road"), dataset.subset(np.zeros(0, np.int64)))


def test_a_photo_that_went(dataset: SegmentationDataset) -> None:
    shutil.rmtree(dataset.root / "masks")
    with pytest.raises(LabelError):
        evaluate_and_draw_segmenter(constant(0, "sky", "road"), dataset)
