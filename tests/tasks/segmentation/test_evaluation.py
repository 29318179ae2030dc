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
from boxmask.results.picture_folder import PictureFolder
from boxmask.tasks.segmentation.evaluation import evaluate_and_draw
from boxmask.types import IGNORED, SegmentationMap


class Constant:
    """Predicts one class for every pixel, and counts the photos that it has seen."""

    def __init__(self, label: int, names: tuple[str, ...]) -> None:
        self.label = label
        self.config = SimpleNamespace(class_names=names)
        self.num_photos = 0

    def predict(self, photo: Path) -> SegmentationMap:
        self.num_photos += 1
        width, height = Image.open(photo).size
        labels = torch.full((height, width), self.label, dtype=torch.uint8)
        return SegmentationMap(labels, self.config.class_names)


def constant(label: int, *names: str) -> Any:
    return Constant(label, names)


@pytest.fixture
def dataset(tmp_path: Path) -> SegmentationDataset:
    """Two photos: one of sky with a row of ignored pixels, and one half sky, half road."""
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


def picture_folder(folder: Path, dataset: SegmentationDataset) -> PictureFolder:
    return PictureFolder.for_photos(folder, [dataset.path(photo) for photo in range(len(dataset))])


def test_metrics_and_progress(dataset: SegmentationDataset) -> None:
    calls: list[tuple[int, int]] = []
    evaluation = evaluate_and_draw(
        constant(0, "sky", "road"), dataset, progress=lambda *done: calls.append(done)
    )
    metrics = evaluation.to_dict()
    sky, road = 39 * 60 + 15 * 50, 15 * 50
    assert metrics["pixel_accuracy"] == pytest.approx(sky / (sky + road))
    assert metrics["mIoU"] == pytest.approx(sky / (sky + road) / 2)
    assert calls == [(1, 2), (2, 2)]


def test_classes_are_matched_by_name(dataset: SegmentationDataset) -> None:
    one, other = constant(1, "sky", "road"), constant(0, "road", "sky")
    assert evaluate_and_draw(one, dataset).to_dict() == evaluate_and_draw(other, dataset).to_dict()


def test_pictures_show_labels_and_prediction(dataset: SegmentationDataset, tmp_path: Path) -> None:
    evaluate_and_draw(
        constant(0, "sky", "road"), dataset, pictures=picture_folder(tmp_path / "pictures", dataset)
    )
    assert sorted(file.name for file in (tmp_path / "pictures").glob("*.jpg")) == ["a.jpg", "b.jpg"]
    assert Image.open(tmp_path / "pictures" / "a.jpg").width >= 2 * 60


def test_labels_are_drawn_in_the_colors_of_the_prediction(
    dataset: SegmentationDataset, tmp_path: Path
) -> None:
    """The labels differ from each other in the picture, in whatever order the segmenter has its classes."""
    evaluate_and_draw(constant(0, "sky", "road"), dataset, pictures=picture_folder(tmp_path / "one", dataset))
    evaluate_and_draw(constant(1, "road", "sky"), dataset, pictures=picture_folder(tmp_path / "two", dataset))
    left = [
        np.array(Image.open(tmp_path / name / "b.jpg").convert("RGB"))[:30, :50] for name in ("one", "two")
    ]
    for picture in left:
        assert np.abs(picture[2:12].astype(int).mean((0, 1)) - picture[18:28].mean((0, 1))).max() > 20


def test_a_picture_never_overwrites_a_photo(dataset: SegmentationDataset, tmp_path: Path) -> None:
    for file in (dataset.root / "images").iterdir():
        Image.open(file).save(file.with_suffix(".jpg"))
        file.unlink()
    jpegs = read_unsplit_segmentation(dataset.root)
    before = {file: file.read_bytes() for file in (dataset.root / "images").iterdir()}
    segmenter = constant(0, "sky", "road")
    with pytest.raises(UsageError, match="would overwrite the photo itself"):
        evaluate_and_draw(segmenter, jpegs, pictures=picture_folder(dataset.root / "images", jpegs))
    assert segmenter.num_photos == 0
    assert {file: file.read_bytes() for file in (dataset.root / "images").iterdir()} == before


def test_a_class_that_the_segmenter_does_not_know(dataset: SegmentationDataset, tmp_path: Path) -> None:
    segmenter = constant(0, "sky")
    with pytest.raises(LabelError, match='"road": 750 pixels in'):
        evaluate_and_draw(segmenter, dataset, pictures=picture_folder(tmp_path / "pictures", dataset))
    assert segmenter.num_photos == 0
    evaluation = evaluate_and_draw(
        segmenter, dataset, "skip", pictures=picture_folder(tmp_path / "pictures", dataset)
    )
    assert evaluation.to_dict()["mIoU"] == 1.0
    assert len(list((tmp_path / "pictures").glob("*.jpg"))) == 2


def test_an_empty_data_set_is_an_error(dataset: SegmentationDataset) -> None:
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_and_draw(constant(0, "sky", "road"), dataset.subset(np.zeros(0, np.int64)))


def test_a_missing_label_map_is_an_error(dataset: SegmentationDataset) -> None:
    shutil.rmtree(dataset.root / "masks")
    with pytest.raises(LabelError):
        evaluate_and_draw(constant(0, "sky", "road"), dataset)
