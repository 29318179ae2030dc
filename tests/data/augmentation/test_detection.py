from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from boxmask.data.augmentation.detection import DetectionAugmentation, resize_detection_photo
from boxmask.data.augmentation.scene import PADDING_GRAY
from boxmask.errors import UsageError
from boxmask.masks import Masks
from boxmask.pipeline.images import resized_size
from boxmask.types import Target

SIZE = (60, 90)
STILL = DetectionAugmentation(flip=0.0, vertical_flip=0.0, scale=(1.0, 1.0), color_jitter=0.0)
EVERYTHING = DetectionAugmentation(flip=0.5, vertical_flip=0.5, scale=(0.5, 2.0), color_jitter=1.0)
MOVES = {
    "flip": DetectionAugmentation(flip=1.0, scale=(1.0, 1.0), color_jitter=0.0),
    "vertical flip": DetectionAugmentation(flip=0.0, vertical_flip=1.0, scale=(1.0, 1.0), color_jitter=0.0),
    "smaller": DetectionAugmentation(scale=(0.4, 0.9), color_jitter=0.0),
    "larger": DetectionAugmentation(scale=(1.1, 2.5), color_jitter=0.0),
    "all": DetectionAugmentation(vertical_flip=0.5, scale=(0.5, 2.0), color_jitter=0.0),
}


def painted(boxes: list[list[int]]) -> tuple[Tensor, Target]:
    """A black photo with up to three filled boxes, one in each color channel, with their masks."""
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    masks = np.zeros((len(boxes), *SIZE), dtype=bool)
    for channel, (x1, y1, x2, y2) in enumerate(boxes):
        image[channel, y1:y2, x1:x2] = 255
        masks[channel, y1:y2, x1:x2] = True
    bare = Target.of(boxes, range(len(boxes)))
    return image, Target(bare.boxes, bare.labels, bare.ignore, Masks.from_dense(masks))


def dense(target: Target) -> Tensor:
    """(N, H, W) bool."""
    assert target.masks is not None
    return torch.from_numpy(target.masks.dense())


def tight(marks: Tensor) -> Tensor:
    """The smallest box around the marked pixels of one mask."""
    y, x = torch.nonzero(marks, as_tuple=True)
    return torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).float()


def same(a: tuple[Tensor, Target], b: tuple[Tensor, Target]) -> bool:
    fields = [(a[0], b[0]), *((getattr(a[1], n), getattr(b[1], n)) for n in ("boxes", "labels", "ignore"))]
    masks = [] if a[1].masks is None else [(dense(a[1]), dense(b[1]))]
    return all(torch.equal(left, right) for left, right in fields + masks)


@st.composite
def box(draw: st.DrawFn) -> list[int]:
    x, y = draw(st.integers(0, SIZE[1] - 8)), draw(st.integers(0, SIZE[0] - 8))
    return [x, y, draw(st.integers(x + 8, SIZE[1])), draw(st.integers(y + 8, SIZE[0]))]


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=60, deadline=None)
@given(boxes=st.lists(box(), min_size=1, max_size=3), seed=st.integers(0, 2**32))
def test_boxes_and_masks_follow_the_objects(move: str, boxes: list[list[int]], seed: int) -> None:
    image, target = MOVES[move](*painted(boxes), np.random.default_rng(seed))
    assert image.shape == (3, *SIZE)
    assert image.dtype == torch.uint8
    gray = (image == PADDING_GRAY).all(dim=0)
    for label, found, mask in zip(target.labels, target.boxes, dense(target), strict=True):
        if (found[2:] - found[:2]).min() < 2:  # a sliver at the edge: no pixel need be half covered
            continue
        ink = (image[label] >= 128) & ~gray
        assert (tight(ink) - found).abs().max() <= 1.5
        assert (tight(mask) - found).abs().max() <= 1.5


@settings(max_examples=60, deadline=None)
@given(boxes=st.lists(box(), min_size=1, max_size=3), seed=st.integers(0, 2**32))
def test_dropped_objects_are_outside_the_image(boxes: list[list[int]], seed: int) -> None:
    image, target = MOVES["larger"](*painted(boxes), np.random.default_rng(seed))
    for label in set(range(len(boxes))) - set(target.labels.tolist()):
        assert int((image[label] >= 128).sum()) == 0


@settings(max_examples=40, deadline=None)
@given(shorter=st.integers(20, 130), longer=st.integers(130, 200), boxes=st.lists(box(), max_size=3))
def test_resized_photos_keep_their_labels(shorter: int, longer: int, boxes: list[list[int]]) -> None:
    image, target = resize_detection_photo(*painted(boxes), shorter, longer)
    assert dense(target).shape[1:] == image.shape[1:]
    assert len(target.boxes) == len(boxes)
    for label, found, mask in zip(target.labels, target.boxes, dense(target), strict=True):
        assert (tight(image[label] >= 128) - found).abs().max() <= 1.5
        assert (tight(mask) - found).abs().max() <= 1.5


@pytest.mark.parametrize(
    ("sides", "expected"),
    [((30, 200), (30, 45)), ((120, 200), (120, 180)), ((120, 150), (100, 150)), ((60, 90), (60, 90))],
)
def test_resize_follows_the_shorter_then_the_longer_side(
    sides: tuple[int, int], expected: tuple[int, int]
) -> None:
    image, _ = resize_detection_photo(torch.zeros(3, *SIZE, dtype=torch.uint8), Target.of([], []), *sides)
    assert image.shape == (3, *expected)


def test_resize_is_antialiased() -> None:
    stripes = torch.zeros(3, 64, 64, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    image, _ = resize_detection_photo(stripes, Target.of([], []), 16, 16)
    assert (image[:, :, 2:-2].int() - 100).abs().max() <= 10


def test_a_photo_of_one_pixel() -> None:
    image, target = DetectionAugmentation()(
        torch.zeros(3, 1, 1, dtype=torch.uint8), Target.of([[0, 0, 1, 1]], [0]), np.random.default_rng(0)
    )
    assert image.shape == (3, 1, 1)
    assert len(target.boxes) == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_photo(seed: int) -> None:
    photo = painted([[5, 5, 40, 30], [30, 20, 80, 55]])
    torch.manual_seed(seed)
    first = EVERYTHING(*photo, np.random.default_rng(seed))
    torch.manual_seed(seed + 1)  # torch's own generator has no say
    assert same(first, EVERYTHING(*photo, np.random.default_rng(seed)))
    assert not same(first, EVERYTHING(*photo, np.random.default_rng(seed + 100)))


def test_the_input_is_unchanged() -> None:
    image, target = painted([[5, 5, 40, 30]])
    before = (image.clone(), target.to("cpu"))
    boxes = target.boxes.clone()
    for seed in range(10):
        EVERYTHING(image, target, np.random.default_rng(seed))
    assert same(before, (image, target))
    assert torch.equal(boxes, target.boxes)


@pytest.mark.parametrize("masks", [None, Masks.unknown(0, SIZE)])
@pytest.mark.parametrize("seed", range(8))
def test_a_photo_without_objects(masks: Masks | None, seed: int) -> None:
    bare = Target.of([], [])
    target = Target(bare.boxes, bare.labels, bare.ignore, masks)
    image, result = EVERYTHING(torch.zeros(3, *SIZE, dtype=torch.uint8), target, np.random.default_rng(seed))
    assert image.shape == (3, *SIZE)
    assert result.boxes.shape == (0, 4)
    assert (result.masks is None) == (masks is None)


@pytest.mark.parametrize("move", MOVES)
def test_ignored_objects_stay_ignored(move: str) -> None:
    image, target = painted([[40, 25, 50, 35], [42, 27, 52, 37]])
    marked = Target(target.boxes, target.labels, torch.tensor([True, False]), target.masks)
    for seed in range(10):
        _, result = MOVES[move](image, marked, np.random.default_rng(seed))
        assert bool(result.ignore[result.labels == 0].all())


def test_mostly_hidden_objects_are_ignored() -> None:
    zoom = DetectionAugmentation(flip=0.0, scale=(2.0, 2.0), color_jitter=0.0, min_visible=0.5)
    seen = set()
    for seed in range(200):
        _, result = zoom(*painted([[30, 20, 60, 40]]), np.random.default_rng(seed))
        for found, ignored in zip(result.boxes, result.ignore, strict=True):
            share = float((found[2:] - found[:2]).prod()) / (4 * 30 * 20)
            assert bool(ignored) == (share < 0.5)
            seen.add(bool(ignored))
    assert seen == {True, False}


def corner_of_an_l(known: list[bool]) -> tuple[Tensor, Target]:
    """Objects along the top and down the left edge, whose boxes are the whole photo."""
    masks = np.zeros((len(known), *SIZE), dtype=bool)
    masks[known, 0:10, :] = True
    masks[known, :, 0:10] = True
    bare = Target.of([[0, 0, 90, 60]] * len(known), range(len(known)))
    return torch.zeros(3, *SIZE, dtype=torch.uint8), replace(bare, masks=Masks.from_dense(masks))


def test_a_cropped_object_gets_the_box_of_its_remaining_mask() -> None:
    zoom = DetectionAugmentation(flip=0.0, scale=(1.3, 1.3), color_jitter=0.0, min_visible=0.0)
    left = []
    for seed in range(40):
        _, result = zoom(*corner_of_an_l([True]), np.random.default_rng(seed))
        left.append(len(result.boxes))
        for found, mask in zip(result.boxes, dense(result), strict=True):
            assert torch.equal(found, tight(mask))
    assert set(left) == {0, 1}  # dropped where the window shows neither bar nor leg


def test_a_cropped_object_with_an_unknown_mask_keeps_its_clipped_box() -> None:
    zoom = DetectionAugmentation(flip=0.5, scale=(1.3, 1.3), color_jitter=0.0, min_visible=0.0)
    for seed in range(20):
        _, result = zoom(*corner_of_an_l([False, True, False]), np.random.default_rng(seed))
        unknown = result.labels != 1
        assert result.labels[unknown].tolist() == [0, 2]
        assert result.boxes[unknown].tolist() == [[0, 0, 90, 60]] * 2
        assert result.masks is not None
        assert result.masks.known.tolist() == (~unknown).tolist()


def as_full_masks(augmentation: DetectionAugmentation, target: Target, seed: int) -> NDArray[np.bool_]:
    """The masks changed as full arrays, with the random values of `DetectionAugmentation`."""
    assert target.masks is not None
    full, (height, width) = target.masks.dense(), SIZE
    generator = np.random.default_rng(seed)
    mirror, upend, _ = generator.random(3) < (augmentation.flip, augmentation.vertical_flip, 0.0)
    scale, place = generator.uniform(*augmentation.scale), generator.random(2)
    full = full[:, :, ::-1] if mirror else full
    full = full[:, ::-1] if upend else full
    window = [max(1, round(n / scale if scale >= 1 else n * scale)) for n in SIZE]
    top, left = (round(u * (n - m)) for u, n, m in zip(place, SIZE, window, strict=True))
    if scale >= 1:
        return resampled(full[:, top : top + window[0], left : left + window[1]], height, width)
    picture = np.zeros_like(full)
    picture[:, top : top + window[0], left : left + window[1]] = resampled(full, *window)
    return picture


def resampled(full: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """Each new pixel takes the old one under its center, computed pixel by pixel."""
    rows = [int((y + 0.5) * full.shape[1] / height) for y in range(height)]
    columns = [int((x + 0.5) * full.shape[2] / width) for x in range(width)]
    return full[:, rows][:, :, columns]


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 4), density=st.floats(0.001, 0.5))
def test_masks_change_like_full_arrays(move: str, seed: int, count: int, density: float) -> None:
    marks = np.random.default_rng(seed).random((count, *SIZE)) < density
    bare = Target.of([[0, 0, 90, 60]] * count, range(count))
    target = replace(bare, masks=Masks.from_dense(marks))
    _, result = MOVES[move](torch.zeros(3, *SIZE, dtype=torch.uint8), target, np.random.default_rng(seed))
    expected = as_full_masks(MOVES[move], target, seed)
    assert np.array_equal(dense(result).numpy(), expected[result.labels.numpy()])
    dropped = sorted(set(range(count)) - set(result.labels.tolist()))
    assert not expected[dropped].any()


def test_masks_of_many_objects_take_little_memory() -> None:
    """Three hundred cells of 20 pixels: as full arrays they would be 109 MB."""
    corners = np.random.default_rng(0).integers(0, (676, 500), (300, 2))
    cell = np.hypot(*np.mgrid[-9.5:10, -9.5:10]) < 10
    masks = Masks.from_crops([cell] * 300, [(int(x), int(y)) for x, y in corners], (520, 696))
    bare = Target.of(masks.boxes(), [0] * 300)
    photo = torch.zeros(3, 520, 696, dtype=torch.uint8)
    for seed in range(4):
        _, result = DetectionAugmentation()(photo, replace(bare, masks=masks), np.random.default_rng(seed))
        assert result.masks is not None
        assert result.masks.bits.nbytes < 300 * 26 * 26


@pytest.mark.parametrize("move", ["flip", "vertical flip"])
def test_flipping_twice_gives_the_photo_back(move: str) -> None:
    photo = painted([[5, 5, 40, 30], [30, 20, 80, 55]])
    once = MOVES[move](*photo, np.random.default_rng(0))
    assert not same(photo, once)
    assert same(photo, MOVES[move](*once, np.random.default_rng(0)))


def test_without_augmentation_nothing_changes() -> None:
    photo = painted([[5, 5, 40, 30]])
    assert same(photo, STILL(*photo, np.random.default_rng(0)))


@pytest.mark.parametrize("change", [STILL, *MOVES.values(), EVERYTHING])
def test_the_result_shares_no_memory_with_the_input(change: DetectionAugmentation) -> None:
    image, target = painted([[5, 5, 40, 30]])
    for seed in range(5):
        changed, labels = change(image, target, np.random.default_rng(seed))
        pairs = [(image, changed)]
        pairs += [(getattr(target, n), getattr(labels, n)) for n in ("boxes", "labels", "ignore")]
        assert target.masks is not None
        assert labels.masks is not None
        assert not np.shares_memory(target.masks.bits, labels.masks.bits)
        for old, new in pairs:
            assert old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr()


@pytest.mark.parametrize("size", [(61, 90), (90, 47), (33, 100)])
@pytest.mark.parametrize("sides", [(30, 200), (50, 70), (64, 107)])
def test_photos_are_resized_like_in_the_detector(size: tuple[int, int], sides: tuple[int, int]) -> None:
    image, _ = resize_detection_photo(torch.zeros(3, *size, dtype=torch.uint8), Target.of([], []), *sides)
    assert image.shape[1:] == resized_size(size, *sides)


def test_color_jitter_keeps_labels_and_grays() -> None:
    gray = torch.arange(256, dtype=torch.uint8).repeat(3, 16, 1)
    target = Target.of([[0, 0, 10, 10]], [0])
    recolor = DetectionAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=1.0)
    for seed in range(10):
        image, result = recolor(gray, target, np.random.default_rng(seed))
        assert int((image.int().amax(dim=0) - image.int().amin(dim=0)).max()) <= 1
        assert bool((image[0, 0].int().diff() >= 0).all())
        assert torch.equal(result.boxes, target.boxes)


def test_padding_is_gray() -> None:
    shrink = DetectionAugmentation(scale=(0.5, 0.5), color_jitter=1.0)
    image, _ = shrink(torch.zeros(3, *SIZE, dtype=torch.uint8), Target.of([], []), np.random.default_rng(0))
    assert int((image == PADDING_GRAY).all(dim=0).sum()) == 60 * 90 - 30 * 45


@pytest.mark.parametrize(
    "wrong", [{"flip": 1.5}, {"min_visible": -0.1}, {"scale": (0.0, 1.0)}, {"scale": (1.2, 0.8)}]
)
def test_invalid_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        DetectionAugmentation(**wrong)


def test_invalid_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="shorter side 50, longer side 40"):
        resize_detection_photo(torch.zeros(3, *SIZE, dtype=torch.uint8), Target.of([], []), 50, 40)
