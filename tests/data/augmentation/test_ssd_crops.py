from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.augmentation.scene import PADDING_GRAY
from boxmask.data.augmentation.ssd_crops import SSDAugmentation, has_center_in
from boxmask.errors import UsageError
from boxmask.geometry.boxes import iou
from boxmask.masks import Masks
from boxmask.types import Target

SIZE = (60, 90)
BOXES = [[10, 10, 40, 30], [50, 20, 80, 55]]
PLAIN = SSDAugmentation(flip=0.0, color_jitter=0.0)
EXPANDED = SSDAugmentation(flip=0.0, color_jitter=0.0, expand=1.0)
WHOLE_PHOTO = (0, 0, 90, 60)


def painted() -> tuple[Tensor, Target]:
    """A black photo with a filled box in each of two color channels, and their masks."""
    image, masks = torch.zeros(3, *SIZE, dtype=torch.uint8), np.zeros((2, *SIZE), dtype=bool)
    for channel, (x1, y1, x2, y2) in enumerate(BOXES):
        image[channel, y1:y2, x1:x2] = 255
        masks[channel, y1:y2, x1:x2] = True
    bare = Target.of(BOXES, [0, 1], [False, True])
    return image, Target(bare.boxes, bare.labels, bare.ignore, Masks.from_dense(masks))


def results(augmentation: SSDAugmentation, count: int = 60) -> list[tuple[Tensor, Target]]:
    image, target = painted()
    return [augmentation(image, target, np.random.default_rng(seed)) for seed in range(count)]


@pytest.mark.parametrize("augmentation", [PLAIN, EXPANDED, SSDAugmentation()])
def test_size_and_type_stay_and_the_input_is_unchanged(augmentation: SSDAugmentation) -> None:
    image, target = painted()
    copy = image.clone()
    for changed, labels in results(augmentation):
        assert changed.shape == image.shape
        assert changed.dtype == torch.uint8
        assert labels.masks is not None
        assert (len(labels.masks), labels.masks.size) == (len(labels.boxes), SIZE)
        assert (labels.boxes >= 0).all()
        assert (labels.boxes <= torch.tensor([90, 60, 90, 60])).all()
    assert torch.equal(image, copy)
    assert torch.equal(target.boxes, torch.tensor(BOXES).float())


def test_the_same_generator_gives_the_same_photo() -> None:
    for (image, target), (again, labels) in zip(
        results(SSDAugmentation(), 20), results(SSDAugmentation(), 20), strict=True
    ):
        assert torch.equal(image, again)
        assert torch.equal(target.boxes, labels.boxes)
    images = {tuple(image.flatten().tolist()) for image, _ in results(SSDAugmentation(), 20)}
    assert len(images) > 10


@pytest.mark.parametrize("augmentation", [PLAIN, EXPANDED])
def test_boxes_and_masks_follow_the_objects(augmentation: SSDAugmentation) -> None:
    for image, target in results(augmentation):
        assert target.masks is not None
        for box, label, mask in zip(target.boxes, target.labels, target.masks.dense(), strict=True):
            y, x = torch.nonzero(image[label] > 190, as_tuple=True)  # the gray beyond the photo is 127
            painted = torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).float()
            enlarged = (
                box[2:] - box[:2]
            ).amax() / 20  # a pixel of the photo in pixels of the picture, or less
            assert (painted - box).abs().amax() <= 1.5 + enlarged
            y, x = torch.nonzero(torch.from_numpy(mask), as_tuple=True)
            marked = torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).float()
            assert (marked - box).abs().amax() <= 1.0


def photo_with(marks: NDArray[np.bool_], boxes: list[list[float]]) -> tuple[Tensor, Target]:
    target = Target.of(boxes, range(len(boxes)))
    return torch.zeros(3, *SIZE, dtype=torch.uint8), replace(target, masks=Masks.from_dense(marks))


def test_masks_change_like_full_arrays() -> None:
    marks = np.random.default_rng(0).random((2, *SIZE)) < 0.3
    image, target = photo_with(marks, [[0, 0, 90, 60]] * 2)
    for seed in range(60):
        generator = np.random.default_rng(seed)
        x1, y1, x2, y2 = EXPANDED.sample_patch(EXPANDED.sample_canvas(SIZE, generator), target, generator)
        _, labels = EXPANDED(image, target, np.random.default_rng(seed))
        rows = [y1 + int((row + 0.5) * (y2 - y1) / 60) for row in range(60)]
        columns = [x1 + int((column + 0.5) * (x2 - x1) / 90) for column in range(90)]
        assert labels.masks is not None
        for label, mask in zip(labels.labels.tolist(), labels.masks.dense(), strict=True):
            for y, row in zip(rows, mask, strict=True):
                inside = [0 <= y < 60 and 0 <= x < 90 for x in columns]
                expected = [ok and bool(marks[label, y, x]) for ok, x in zip(inside, columns, strict=True)]
                assert row.tolist() == expected


def test_a_cropped_object_gets_the_box_of_its_remaining_mask() -> None:
    marks = np.zeros((2, *SIZE), dtype=bool)
    marks[0, 20:40, 35:55] = True  # less than its box, which reaches to the photo's edges
    image, target = photo_with(marks, [[0, 0, 90, 60]] * 2)
    cut, patches = 0, SSDAugmentation(flip=0.0, color_jitter=0.0, expand=0.0)
    for seed in range(60):
        _, labels = patches(image, target, np.random.default_rng(seed))
        assert labels.masks is not None
        boxes = dict(zip(labels.labels.tolist(), labels.boxes.tolist(), strict=True))
        if boxes.get(0, [0, 0, 90, 60]) != [0, 0, 90, 60]:
            assert boxes[0] == labels.masks[labels.labels == 0].boxes()[0].tolist()
            cut += 1
        assert boxes.get(1, [0, 0, 90, 60]) == [0, 0, 90, 60]
    assert cut > 10


def test_objects_with_their_center_outside_are_dropped() -> None:
    boxes = Target.of(BOXES, [0, 1]).boxes  # centers (25, 20) and (65, 37.5)
    assert has_center_in(boxes, (20, 15, 60, 60)).tolist() == [True, False]
    assert has_center_in(boxes, (26, 0, 90, 60)).tolist() == [False, True]
    counts = {len(target.boxes) for _, target in results(PLAIN)}
    assert counts == {1, 2}  # never none: a patch has an object in sight


def test_ignored_objects_stay_ignored() -> None:
    for _, target in results(PLAIN):
        assert target.ignore.tolist() == [label == 1 for label in target.labels.tolist()]


@pytest.mark.parametrize("min_overlap", [0.1, 0.3, 0.5])
def test_patches_have_the_sampled_overlap(min_overlap: float) -> None:
    """Without such a patch, the photo stays whole."""
    boxes = Target.of(BOXES, [0, 1]).boxes
    windows = [_patch_of(min_overlap, boxes, seed) for seed in range(20)]
    parts = [window for window in windows if window != WHOLE_PHOTO]
    assert parts
    for window in parts:
        assert iou(boxes, torch.tensor([window]).float()).amax() >= min_overlap


def _patch_of(min_overlap: float, boxes: Tensor, seed: int) -> tuple[int, int, int, int]:
    class Chosen:
        """A generator that always chooses the same overlap."""

        def __init__(self) -> None:
            self.real = np.random.default_rng(seed)

        def choice(self, among: list[float]) -> float:
            return min_overlap

        def __getattr__(self, name: str) -> object:
            return getattr(self.real, name)

    target = Target(boxes, torch.tensor([0, 1]), torch.tensor([False, False]))
    return PLAIN.sample_patch(WHOLE_PHOTO, target, Chosen())  # type: ignore[arg-type]


def test_expansion_makes_objects_small_on_gray() -> None:
    generator = np.random.default_rng(0)
    canvases = [EXPANDED.sample_canvas(SIZE, generator) for _ in range(200)]
    widths = [(x2 - x1) / 90 for x1, _, x2, _ in canvases]
    assert 1.0 <= min(widths) < 1.2
    assert 3.8 < max(widths) <= 4.01
    for x1, y1, x2, y2 in canvases:  # the photo lies on it
        assert x1 <= 0
        assert y1 <= 0
        assert x2 >= 90
        assert y2 >= 60
    shrunk = [(i, t) for i, t in results(EXPANDED) if (i == PADDING_GRAY).float().mean() > 0.8]
    assert shrunk
    assert all((t.boxes[:, 2] - t.boxes[:, 0] < 30).all() for _, t in shrunk)


def test_photos_without_objects() -> None:
    image, _ = painted()
    for seed in range(10):
        changed, target = SSDAugmentation()(image, Target.of([], []), np.random.default_rng(seed))
        assert changed.shape == image.shape
        assert len(target.boxes) == 0


def test_a_photo_of_one_pixel() -> None:
    image, target = torch.zeros(3, 1, 1, dtype=torch.uint8), Target.of([[0, 0, 1, 1]], [0])
    for seed in range(30):
        changed, _ = SSDAugmentation()(image, target, np.random.default_rng(seed))
        assert changed.shape == image.shape


@pytest.mark.parametrize(
    "options",
    [{"expand": 1.5}, {"max_expand": 0.5}, {"min_patch": 0.0}, {"flip": -1.0}, {"color_jitter": 2.0}],
)
def test_invalid_settings_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="augmentation"):
        SSDAugmentation(**options)
