from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.types import Detections
from boxmask.visualization import name_tags
from boxmask.visualization.detections import detections_from_labels, draw_comparison, draw_detections
from boxmask.visualization.fonts import default_font, load_font
from boxmask.visualization.style import PALETTE

NAMES = ("cat", "dog", "Äffchen", "кошка")


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def found(boxes, labels, size, scores=None) -> Detections:
    n = len(boxes)
    return Detections(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.linspace(0.99, 0.5, n) if scores is None else torch.tensor(scores),
        torch.tensor(labels, dtype=torch.int64),
        NAMES,
        size,
    )


def has_color(picture, color: str) -> bool:
    return bool((picture == rgb(color)).all(axis=-1).any())


def gray(height, width):
    return np.full((height, width, 3), 128, dtype=np.uint8)


def test_box_has_the_color_of_its_class_and_the_photo_is_kept():
    photo = gray(100, 120)
    picture = draw_detections(photo, found([(20, 30, 80, 90)], [1], (100, 120)))
    assert picture.dtype == np.uint8
    assert picture.shape == (100, 120, 3)
    assert tuple(picture[60, 20]) == rgb(PALETTE[1])
    assert tuple(picture[60, 50]) == (128, 128, 128)
    assert (photo == 128).all()


def test_detections_under_min_score_are_not_drawn():
    detections = found([(20, 30, 80, 90)], [0], (100, 120), [0.4])
    assert np.array_equal(draw_detections(gray(100, 120), detections), gray(100, 120))
    assert has_color(draw_detections(gray(100, 120), detections, min_score=0.3), PALETTE[0])


def test_no_detections_leave_the_photo_unchanged():
    assert np.array_equal(draw_detections(gray(50, 50), found([], [], (50, 50))), gray(50, 50))


def test_box_along_the_edge_of_the_photo_is_visible_on_all_sides():
    picture = draw_detections(gray(40, 40), found([(0, 0, 40, 40)], [0], (40, 40)))
    for side in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert (side == rgb(PALETTE[0])).all(axis=-1).mean() > 0.5


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 48), (1500, 2000)])
def test_photo_of_any_size(size):
    height, width = size
    boxes = [(0, 0, width, height), (width / 3, height / 3, width / 2, height)]
    assert draw_detections(gray(*size), found(boxes, [0, 1], size)).shape == (*size, 3)


def test_lines_grow_with_the_photo():
    def line(side: int) -> int:
        picture = draw_detections(
            gray(side, side), found([(side // 4, side // 4, side, side)], [0], (side, side))
        )
        return int((picture[side // 2] == rgb(PALETTE[0])).all(axis=-1).sum())

    assert line(100) < line(1000) < line(2000)


@pytest.fixture
def places(monkeypatch):
    """The place of each name tag, or None, in the order they are drawn."""
    taken = []
    original = name_tags._free_position

    def spy(*arguments):
        taken.append(original(*arguments))
        return taken[-1]

    monkeypatch.setattr(name_tags, "_free_position", spy)
    return taken


def test_name_tags_stay_inside_do_not_overlap_and_go_by_score(places):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 260, (200, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(10, 60, (200, 2))], axis=1).clip(0, 300)
    draw_detections(gray(300, 300), found(boxes.tolist(), rng.integers(0, 4, 200).tolist(), (300, 300)))
    assert len(places) == 60
    assert places[0] is not None
    put = [place for place in places if place is not None]
    assert len(put) > 10
    for i, (x1, y1, x2, y2) in enumerate(put):
        assert x1 >= 0
        assert y1 >= 0
        assert x2 < 300
        assert y2 < 300
        assert all(x2 < a[0] or a[2] < x1 or y2 < a[1] or a[3] < y1 for a in put[:i])


def test_name_tag_does_not_hide_a_small_box(places):
    boxes = [(50, 50, 150, 150), (52, 38, 60, 46)]  # the second lies where the tag of the first would go
    draw_detections(gray(200, 200), found(boxes, [0, 0], (200, 200)))
    x1, y1, x2, y2 = places[0]
    assert x2 < 52 or x1 > 60 or y2 < 38 or y1 > 46


def test_photo_of_another_size_or_type_is_refused():
    detections = found([(20, 30, 80, 90)], [0], (100, 120))
    with pytest.raises(
        ValueError, match=r"photo: expected uint8 \(100, 120, 3\), found uint8 \(120, 100, 3\)"
    ):
        draw_detections(gray(120, 100), detections)
    with pytest.raises(ValueError, match="found float32"):
        draw_detections(gray(100, 120).astype(np.float32), detections)


def test_font_has_letters_of_other_alphabets():
    font = load_font(default_font(), 20)
    missing = font.getmask("\uffff").getbbox()
    assert all(font.getmask(letter).getbbox() not in (None, missing) for letter in "Äкш")


def test_scores_can_be_left_out():
    detections = found([(20, 30, 80, 90)], [0], (100, 120))
    with_scores, without = (
        draw_detections(gray(100, 120), detections),
        draw_detections(gray(100, 120), detections, show_scores=False),
    )
    ground = [(p == rgb(PALETTE[0])).all(axis=-1).sum() for p in (with_scores, without)]
    assert ground[0] > ground[1]


@pytest.fixture
def dataset() -> DetectionDataset:
    """Two photos with three boxes."""
    return DetectionDataset(
        root=Path("things"),
        class_names=NAMES,
        files=np.array(["a.jpg", "b.jpg"]),
        image_ids=np.arange(2),
        sizes=np.array([[50, 60], [100, 120]], dtype=np.int32),
        splits=np.array(["test", "test"]),
        offsets=np.array([0, 1, 3]),
        boxes=np.array([[0, 0, 9, 9], [1, 2, 30, 40], [5, 5, 50, 60]], dtype=np.float32),
        labels=np.array([0, 3, 1]),
        areas=np.ones(3, dtype=np.float32),
        crowd=np.zeros(3, dtype=bool),
        difficult=np.zeros(3, dtype=bool),
    )


def test_labels_become_detections(dataset):
    labels = detections_from_labels(dataset, 1)
    assert labels.boxes.tolist() == [[1, 2, 30, 40], [5, 5, 50, 60]]
    assert labels.names == ["кошка", "dog"]
    assert labels.size == (100, 120)
    assert labels.scores.tolist() == [1, 1]
    pair = draw_comparison(gray(100, 120), labels, found([], [], (100, 120)))
    half = pair.shape[1] // 2
    assert has_color(pair[:, :half], PALETTE[3])
    assert not has_color(pair[:, half:], PALETTE[3])
    assert (pair[-102:-2, half + 2 : half + 122] == 128).all()  # the photo itself, not scaled


def test_known_masks_of_labels_are_drawn(dataset):
    assert detections_from_labels(dataset, 1).masks is None
    dense = np.zeros((1, 100, 120), bool)
    dense[0, 2:40, 1:15] = dense[0, 2:10, 1:30] = True  # mask of the second object; the third has a box only
    (counts,) = rle.encode(Masks.from_dense(dense))
    outlined = replace(
        dataset, runs=counts.astype(np.int32), run_offsets=np.array([0, 0, len(counts), len(counts)])
    )
    labels = detections_from_labels(outlined, 1)
    assert labels.masks.known.tolist() == [True, False]
    pair = draw_comparison(gray(100, 120), labels, found([], [], (100, 120)))
    left = pair[-102:, 2:122]
    assert tuple(left[30, 1]) == rgb(PALETTE[3])  # of the class, as on the other side
    assert tuple(left[39, 25]) == (128, 128, 128)  # no box around a mask
    assert tuple(left[30, 49]) == rgb(PALETTE[1])  # right side of the box, inside it
