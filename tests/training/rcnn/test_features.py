"""The windows of a photo and the features of all photos' windows on disk, worked by hand."""

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
from boxmask.training.rcnn.features import PhotoRegions, RegionFeatures, regions_of

MOVING = 0.6
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


# ---------------------------------------------------------------- the windows of a photo


def test_the_ground_truth_comes_first_and_alone_is_positive() -> None:
    found = regions_of(photo_of([CAT, DOG], [0, 1]), 0, PROPOSALS, MOVING)
    assert found.boxes.tolist() == [list(CAT), list(DOG), *PROPOSALS.tolist()]
    assert found.positive_class.tolist() == [0, 1, -1, -1, -1, -1]
    assert (found.objects.tolist(), found.labels.tolist()) == ([list(CAT), list(DOG)], [0, 1])


def test_overlaps_are_the_best_of_each_class() -> None:
    found = regions_of(photo_of([SECOND_CAT, CAT, DOG], [0, 0, 1]), 0, PROPOSALS, MOVING)
    cats = [1, 1, 0, 0.8, 0, 0, 0]
    dogs = [0, 0, 1, 0, 0.5, 0, 0.6]
    np.testing.assert_allclose(found.overlaps, np.array([cats, dogs, [0] * 7]).T, rtol=1e-6)


def test_windows_close_to_an_object_teach_to_move() -> None:
    found = regions_of(photo_of([CAT, DOG], [0, 1]), 0, PROPOSALS, MOVING)
    assert found.moving.tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["crowd", "difficult"])
def test_objects_that_do_not_count_overlap_and_teach_nothing(kind: str) -> None:
    found = regions_of(photo_of([CAT, DOG], [0, 1], **{kind: (0,)}), 0, PROPOSALS, MOVING)
    assert found.boxes.tolist() == [list(DOG), *PROPOSALS.tolist()]
    assert found.positive_class.tolist() == [1, -1, -1, -1, -1]
    assert found.objects.tolist() == [list(DOG)]
    assert found.moving.tolist() == [0]
    assert found.overlaps[1, 0] == 1  # all of it is inside: no negative of cats
    assert found.doubtful.tolist() == [False, True, False, False, False]


def test_a_photo_without_objects_is_all_background() -> None:
    found = regions_of(photo_of([], []), 0, PROPOSALS, MOVING)
    assert found.boxes.tolist() == PROPOSALS.tolist()
    assert not found.overlaps.any()
    assert (found.positive_class == -1).all()
    assert not len(found.moving)


def test_a_photo_without_proposals_has_its_ground_truth() -> None:
    found = regions_of(photo_of([CAT, DOG], [0, 1]), 0, NONE, MOVING)
    assert found.boxes.tolist() == [list(CAT), list(DOG)]
    assert found.moving.tolist() == [0, 1]


def test_a_photo_with_neither_has_no_windows() -> None:
    found = regions_of(photo_of([], []), 0, NONE, MOVING)
    assert (found.boxes.shape, found.overlaps.shape, found.moving.shape) == ((0, 4), (0, 3), (0,))


# ---------------------------------------------------------------- their features

PHOTOS = [([CAT, DOG], PROPOSALS), ([], PROPOSALS[:1]), ([], NONE), ([DOG], NONE)]  # 6, 1, 0 and 1 windows
ROWS, MOVING_ROWS = 8, 4  # 3, 0, 0 and 1


def regions(photo: int) -> PhotoRegions:
    objects, proposals = PHOTOS[photo]
    return regions_of(photo_of(objects, [0, 1][: len(objects)]), 0, proposals, MOVING)


def opened(folder: Path, of: Callable[[int], PhotoRegions] = regions, photos: int = 4) -> RegionFeatures:
    return RegionFeatures(folder, of, photos, (5, 7))


def features(photo: int) -> tuple[Tensor, Tensor]:
    """pool5 and fc7 of a photo's windows; every number tells photo and row."""
    count = len(regions(photo).boxes)
    rows = 100.0 * photo + torch.arange(count)[:, None]
    return rows.repeat(1, 7) + 0.5, rows.repeat(1, 5)


def test_every_photo_gets_back_its_own(tmp_path: Path) -> None:
    kept = opened(tmp_path)
    for photo in (3, 0, 2, 1):
        kept.write(photo, *features(photo))
    assert [kept.fc7_of(photo)[:, 0].tolist() for photo in range(4)] == [[0, 1, 2, 3, 4, 5], [100], [], [300]]
    assert [kept.pool5_of(photo)[:, 6].tolist() for photo in range(4)] == [[0.5, 1.5, 2.5], [], [], [300.5]]


def test_the_files_hold_a_row_for_each_window(tmp_path: Path) -> None:
    opened(tmp_path)
    assert np.load(tmp_path / "fc7.npy", mmap_mode="r").shape == (ROWS, 5)
    assert np.load(tmp_path / "pool5.npy", mmap_mode="r").shape == (MOVING_ROWS, 7)


def test_what_was_written_before_a_stop_is_there_after_it(tmp_path: Path) -> None:
    before = opened(tmp_path)
    before.write(0, *features(0))
    before.flush()
    del before
    after = opened(tmp_path)
    assert after.fc7_of(0)[:, 4].tolist() == [0, 1, 2, 3, 4, 5]
    after.write(3, *features(3))
    after.flush()
    assert opened(tmp_path).pool5_of(3)[:, 0].tolist() == [300.5]


def test_files_of_another_shape_are_made_anew(tmp_path: Path) -> None:
    opened(tmp_path).write(0, *features(0))
    fewer = opened(tmp_path, photos=2)
    assert fewer.fc7.shape == (7, 5)
    assert not fewer.fc7.any()


@pytest.mark.parametrize("length", [0, 60, 150])
def test_a_file_that_was_cut_short_is_made_anew(tmp_path: Path, length: int) -> None:
    opened(tmp_path).write(0, *features(0))
    whole = (tmp_path / "fc7.npy").read_bytes()
    (tmp_path / "fc7.npy").write_bytes(whole[:length])
    anew = opened(tmp_path)
    assert anew.fc7.shape == (ROWS, 5)
    anew.write(0, *features(0))
    assert anew.fc7_of(0)[5].tolist() == [5] * 5


def test_where_nothing_teaches_to_move_there_is_no_file(tmp_path: Path) -> None:
    kept = opened(tmp_path, lambda _: regions(1), photos=2)
    kept.write(0, *features(1))
    kept.flush()
    assert kept.pool5_of(1).shape == (0, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["fc7.npy"]


# ---------------------------------------------------------------- room

SIZE = 4 * (ROWS * 5 + MOVING_ROWS * 7)


def with_room(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    usage = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(region_features, "shutil", usage)


def test_a_disk_without_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_room(monkeypatch, SIZE / 0.9 - 1)
    with pytest.raises(
        TrainingError, match=r"take 0\.0 GB, and 0\.0 GB are free.*--out.*--max-regions"
    ) as caught:
        opened(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert not list(tmp_path.iterdir())
    with_room(monkeypatch, SIZE / 0.9 + 1)
    opened(tmp_path)


def test_files_that_are_there_already_need_no_more_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tmp_path)
    with_room(monkeypatch, 0)
    assert not opened(tmp_path).new


def test_files_that_are_there_and_fit_are_not_new(tmp_path: Path) -> None:
    assert opened(tmp_path).new
    assert not opened(tmp_path).new
    (tmp_path / "pool5.npy").unlink()
    assert opened(tmp_path).new
