"""The regions of a photo, and the features of all regions on disk, computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import TrainingError
from boxmask.training.rcnn import features as region_features
from boxmask.training.rcnn.features import PhotoRegions, RegionFeatures, photo_regions

REGRESSION_IOU = 0.6
NONE = torch.zeros(0, 4)


def photo_of(
    boxes: list[tuple[float, ...]],
    labels: list[int],
    crowd: tuple[int, ...] = (),
    difficult: tuple[int, ...] = (),
) -> DetectionDataset:
    """A data set of one photo with these objects, of three classes."""
    rows = np.arange(len(boxes))
    objects = np.array(boxes, np.float32).reshape(-1, 4)
    return DetectionDataset(
        root=Path(),
        class_names=("cat", "dog", "bird"),
        files=np.array(["photo.jpg"]),
        image_ids=np.array([0]),
        sizes=np.array([[100, 100]], np.int32),
        splits=np.array(["train"]),
        offsets=np.array([0, len(boxes)]),
        boxes=objects,
        labels=np.array(labels, np.int64),
        areas=np.prod(objects[:, 2:] - objects[:, :2], axis=1),
        crowd=np.isin(rows, crowd),
        difficult=np.isin(rows, difficult),
    )


CAT, DOG, SECOND_CAT = (0, 0, 10, 10), (20, 20, 40, 40), (0, 0, 10, 5)
PROPOSALS = torch.tensor(
    [
        [0.0, 0, 10, 8],  # IoU 0.8 with the cat, 0.625 with the second
        [20, 20, 40, 30],  # 0.5 with the dog
        [60, 60, 70, 70],  # nothing
        [20, 20, 40, 32],  # 0.6 with the dog, which is not above it
    ]
)


# ---------------------------------------------------------------- the regions of a photo


def test_the_ground_truth_comes_first_and_alone_is_positive() -> None:
    result = photo_regions(photo_of([CAT, DOG], [0, 1]), 0, PROPOSALS, REGRESSION_IOU)
    assert result.boxes.tolist() == [list(CAT), list(DOG), *PROPOSALS.tolist()]
    assert result.positive_class.tolist() == [0, 1, -1, -1, -1, -1]
    assert (result.objects.tolist(), result.labels.tolist()) == ([list(CAT), list(DOG)], [0, 1])


def test_overlaps_are_the_highest_of_each_class() -> None:
    result = photo_regions(photo_of([SECOND_CAT, CAT, DOG], [0, 0, 1]), 0, PROPOSALS, REGRESSION_IOU)
    cats = [1, 1, 0, 0.8, 0, 0, 0]
    dogs = [0, 0, 1, 0, 0.5, 0, 0.6]
    np.testing.assert_allclose(result.overlaps, np.array([cats, dogs, [0] * 7]).T, rtol=1e-6)


def test_regions_close_to_an_object_are_for_regression() -> None:
    result = photo_regions(photo_of([CAT, DOG], [0, 1]), 0, PROPOSALS, REGRESSION_IOU)
    assert result.regression_rows.tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["crowd", "difficult"])
def test_difficult_and_crowd_objects_only_count_as_overlaps(kind: str) -> None:
    result = photo_regions(photo_of([CAT, DOG], [0, 1], **{kind: (0,)}), 0, PROPOSALS, REGRESSION_IOU)
    assert result.boxes.tolist() == [list(DOG), *PROPOSALS.tolist()]
    assert result.positive_class.tolist() == [1, -1, -1, -1, -1]
    assert result.objects.tolist() == [list(DOG)]
    assert result.regression_rows.tolist() == [0]
    assert result.overlaps[1, 0] == 1  # all of it is inside: not a negative of cats
    assert result.ignored.tolist() == [False, True, False, False, False]


def test_a_photo_without_objects_is_all_background() -> None:
    result = photo_regions(photo_of([], []), 0, PROPOSALS, REGRESSION_IOU)
    assert result.boxes.tolist() == PROPOSALS.tolist()
    assert not result.overlaps.any()
    assert (result.positive_class == -1).all()
    assert not len(result.regression_rows)


def test_a_photo_without_proposals_keeps_its_ground_truth() -> None:
    result = photo_regions(photo_of([CAT, DOG], [0, 1]), 0, NONE, REGRESSION_IOU)
    assert result.boxes.tolist() == [list(CAT), list(DOG)]
    assert result.regression_rows.tolist() == [0, 1]


def test_a_photo_with_neither_has_no_regions() -> None:
    result = photo_regions(photo_of([], []), 0, NONE, REGRESSION_IOU)
    assert (result.boxes.shape, result.overlaps.shape, result.regression_rows.shape) == ((0, 4), (0, 3), (0,))


# ---------------------------------------------------------------- their features

PHOTOS = [([CAT, DOG], PROPOSALS), ([], PROPOSALS[:1]), ([], NONE), ([DOG], NONE)]  # 6, 1, 0 and 1 regions
ROWS, REGRESSION_ROWS = 8, 4  # 3, 0, 0 and 1


def regions(photo: int) -> PhotoRegions:
    objects, proposals = PHOTOS[photo]
    return photo_regions(photo_of(objects, [0, 1][: len(objects)]), 0, proposals, REGRESSION_IOU)


def opened(folder: Path, of: Callable[[int], PhotoRegions] = regions, photos: int = 4) -> RegionFeatures:
    return RegionFeatures(folder, of, photos, (5, 7))


def features(photo: int) -> tuple[Tensor, Tensor]:
    """pool5 and fc7 of a photo's regions; every value encodes photo and row."""
    count = len(regions(photo).boxes)
    rows = 100.0 * photo + torch.arange(count)[:, None]
    return rows.repeat(1, 7) + 0.5, rows.repeat(1, 5)


def test_every_photo_has_its_own_features(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    for photo in (3, 0, 2, 1):
        kept.write(photo, *features(photo))
    assert [kept.fc7_of(photo)[:, 0].tolist() for photo in range(4)] == [[0, 1, 2, 3, 4, 5], [100], [], [300]]
    assert [kept.pool5_of(photo)[:, 6].tolist() for photo in range(4)] == [[0.5, 1.5, 2.5], [], [], [300.5]]


def test_the_files_hold_a_row_per_region(tmp_path: Path) -> None:
    opened(tmp_path)
    assert np.load(tmp_path / "fc7.npy", mmap_mode="r").shape == (ROWS, 5)
    assert np.load(tmp_path / "pool5.npy", mmap_mode="r").shape == (REGRESSION_ROWS, 7)


def test_features_survive_a_stop(tmp_path: Path) -> None:
    before = opened(tmp_path)
    before.write(0, *features(0))
    before.flush()
    del before
    after = opened(tmp_path)
    assert after.fc7_of(0)[:, 4].tolist() == [0, 1, 2, 3, 4, 5]
    after.write(3, *features(3))
    after.flush()
    assert opened(tmp_path).pool5_of(3)[:, 0].tolist() == [300.5]


def test_files_of_another_shape_are_replaced(tmp_path: Path) -> None:
    opened(tmp_path).write(0, *features(0))
    fewer = opened(tmp_path, photos=2)
    assert fewer.fc7.shape == (7, 5)
    assert not fewer.fc7.any()


@pytest.mark.parametrize("length", [0, 60, 150])
def test_an_incomplete_file_is_replaced(tmp_path: Path, length: int) -> None:
    opened(tmp_path).write(0, *features(0))
    whole = (tmp_path / "fc7.npy").read_bytes()
    (tmp_path / "fc7.npy").write_bytes(whole[:length])
    replaced = opened(tmp_path)
    assert replaced.fc7.shape == (ROWS, 5)
    replaced.write(0, *features(0))
    assert replaced.fc7_of(0)[5].tolist() == [5] * 5


def test_without_regression_rows_there_is_no_pool5_file(tmp_path: Path) -> None:
    kept = opened(tmp_path, lambda _: regions(1), photos=2)
    kept.write(0, *features(1))
    kept.flush()
    assert kept.pool5_of(1).shape == (0, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["fc7.npy"]


# ---------------------------------------------------------------- disk space

SIZE = 4 * (ROWS * 5 + REGRESSION_ROWS * 7)


def with_free_space(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    usage = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(region_features, "shutil", usage)


def test_a_full_disk_is_reported_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_free_space(monkeypatch, SIZE / 0.9 - 1)
    with pytest.raises(
        TrainingError, match=r"take 0\.0 GB, and 0\.0 GB are free.*--out.*--max-regions"
    ) as caught:
        opened(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert not list(tmp_path.iterdir())
    with_free_space(monkeypatch, SIZE / 0.9 + 1)
    opened(tmp_path)


def test_existing_files_need_no_more_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(tmp_path)
    with_free_space(monkeypatch, 0)
    assert not opened(tmp_path).new


def test_existing_files_of_the_right_shape_are_not_new(tmp_path: Path) -> None:
    assert opened(tmp_path).new
    assert not opened(tmp_path).new
    (tmp_path / "pool5.npy").unlink()
    assert opened(tmp_path).new
