"""Photos that were resized after labeling: boxes and outlines are scaled where it is certain."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.errors import LabelError

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]

FOUR = [[9, 9, 20, 21], [12, 9, 20, 21], [15, 9, 20, 21], [18, 9, 20, 21]]  # within the left upper 40 × 32


@pytest.fixture
def write(write_coco: Write, coco: Make, annotation: Make) -> Write:
    """Write a photo per box, labeled at `declared` and saved at `actual` (height, width)."""

    def write(
        boxes: Sequence[Sequence[float]],
        actual: Sequence[tuple[int, int]] | tuple[int, int],
        declared: tuple[int, int] = (48, 64),
        **more: Any,
    ) -> Path:
        sizes = [actual] * len(boxes) if isinstance(actual[0], int) else actual
        entries = [annotation(n, 1, box, **more) for n, box in enumerate(boxes)]
        document = coco([(n, f"{n:02}.png") for n in range(len(boxes))], entries)
        for image in document["images"]:
            image |= {"height": declared[0], "width": declared[1]}
        root = write_coco(document)
        for image, size in zip(document["images"], sizes, strict=True):
            Image.new("L", size[::-1]).save(root / "images" / image["file_name"])
        return root

    return write


def corners(boxes: Sequence[Sequence[float]], factor: float = 1) -> list[list[float]]:
    return [[factor * v for v in (x, y, x + width, y + height)] for x, y, width, height in boxes]


# ---------------------------------------------------------------- scaled


def test_voc_boxes_are_scaled_with_photos_of_twice_the_size(
    write_voc: Write, voc_xml: Callable[..., str], save_photo: Callable[..., None]
) -> None:
    boxes = {stem: [("cat", 9 + 3 * n, 9, 28 + 3 * n, 30)] for n, stem in enumerate("abcd")}
    root = write_voc(boxes)
    for stem, content in boxes.items():
        (root / f"Annotations/{stem}.xml").write_text(voc_xml(f"{stem}.jpg", content, (48, 64)))
        save_photo(root / f"JPEGImages/{stem}.jpg", (96, 128))
    dataset = read_detection(root)
    assert dataset.boxes.tolist() == [[16 + 6 * n, 16, 56 + 6 * n, 60] for n in range(4)]
    assert dataset.areas.tolist() == [40 * 44] * 4
    note = dataset.notes[0]
    assert "which boxmask scales to their photos (4):" in note
    assert "a.jpg is 128 × 96, not 64 × 48: 2 times" in note
    assert not any("another size, which is ignored" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("actual", "factor"), [((96, 128), 2), ((144, 192), 3), ((72, 96), 1.5), ((480, 640), 10)]
)
def test_boxes_in_the_corner_of_enlarged_photos_are_scaled(
    write: Write, actual: tuple[int, int], factor: float
) -> None:
    dataset = read_detection(write(FOUR, actual, area=300))
    assert dataset.boxes.tolist() == corners(FOUR, factor)
    assert dataset.areas.tolist() == [300 * factor**2] * 4


def test_boxes_beyond_reduced_photos_are_scaled(write: Write) -> None:
    boxes = [[4, 4, 50, 40], [30, 20, 30, 24], [0, 0, 64, 48], [2, 2, 10, 10]]
    dataset = read_detection(write(boxes, (24, 32)))
    assert dataset.boxes.tolist() == corners(boxes, 0.5)
    assert ": 0.5 times" in dataset.notes[0]


def test_each_photo_may_have_a_factor_of_its_own(write: Write) -> None:
    dataset = read_detection(write(FOUR, [(96, 128), (144, 192), (96, 128), (192, 256)]))
    assert dataset.boxes.tolist() == [
        corner for box, factor in zip(FOUR, (2, 3, 2, 4), strict=True) for corner in corners([box], factor)
    ]
    assert all(f": {factor} times" in dataset.notes[0] for factor in (2, 3, 4))


def test_photos_whose_sides_were_rounded_are_scaled_side_by_side(write: Write) -> None:
    dataset = read_detection(write(FOUR, (71, 95)))  # 1.5 times would be 72 × 96
    expected = np.array(corners(FOUR)) * np.array([95 / 64, 71 / 48] * 2)
    assert np.allclose(dataset.boxes, expected)


def dense(root: Path) -> NDArray[np.bool_]:
    masks = read_detection(root).masks(0)
    assert masks is not None
    return masks.dense()


def test_outlines_and_run_lengths_are_scaled(write: Write) -> None:
    outline = [[8, 8, 29, 8, 29, 30, 8, 30]]
    counts = np.zeros((48, 64), dtype=bool)
    counts[8:30, 8:29] = True
    edges = np.flatnonzero(np.diff(counts.T.ravel().astype(int), prepend=0))
    run_lengths = {"size": [48, 64], "counts": np.diff(edges, prepend=0, append=48 * 64).tolist()}
    expected = np.zeros((96, 128), dtype=bool)
    expected[16:60, 16:58] = True
    for segmentation in (outline, run_lengths):
        root = write(FOUR, (96, 128), segmentation=segmentation)
        assert np.array_equal(dense(root), [expected])
        document = json.loads((root / "instances.json").read_text())
        del document["annotations"][0]["bbox"]
        (root / "instances.json").write_text(json.dumps(document))
        assert read_detection(root).boxes[0].tolist() == [16, 16, 58, 60]


@settings(deadline=None, max_examples=40)
@given(
    factor=st.floats(0.3, 4).filter(lambda factor: abs(factor - 1) > 0.2),
    boxes=st.lists(
        st.tuples(st.floats(0, 560), st.floats(0, 400), st.floats(20, 80), st.floats(20, 80)),
        min_size=60,
        max_size=60,
    ),
)
def test_boxes_are_scaled_left_alone_or_refused(
    tmp_path_factory: pytest.TempPathFactory, factor: float, boxes: list[tuple[float, ...]]
) -> None:
    root = tmp_path_factory.mktemp("scaled")
    size = (round(480 * factor), round(640 * factor))
    Image.new("L", size[::-1]).save(root / "a.png")
    document = {
        "images": [{"id": 1, "file_name": "a.png", "height": 480, "width": 640}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": box} for box in boxes],
    }
    (root / "a.json").write_text(json.dumps(document))
    try:
        dataset = read_unsplit_detection(root)
    except LabelError:
        return
    declared = np.array(corners(boxes))
    expected = [declared * np.array([size[1] / 640, size[0] / 480] * 2)]
    if factor < 1 and (declared <= [size[1] + 1, size[0] + 1] * 2).all():
        expected = [np.minimum(declared, [size[1], size[0]] * 2)]
    assert any(np.allclose(dataset.boxes, candidate, atol=1e-2) for candidate in expected)


# ---------------------------------------------------------------- left alone


def test_boxes_that_fit_the_photos_only_are_right(write: Write) -> None:
    boxes = [[60, 40, 50, 40], [2, 2, 120, 90], [5, 5, 10, 10]]
    dataset = read_detection(write(boxes, (96, 128)))
    assert dataset.boxes.tolist() == corners(boxes)
    assert dataset.notes[0].startswith("Photos whose labels declare another size")


def test_boxes_in_the_corner_of_far_too_large_declared_sizes_are_right(write: Write) -> None:
    dataset = read_detection(write(FOUR, (48, 64), (480, 640)))
    assert dataset.boxes.tolist() == corners(FOUR)


@pytest.mark.parametrize("actual", [(48, 65), (49, 64), (47, 63), (48, 70), (64, 48)])
def test_photos_of_nearly_the_declared_size_or_of_another_shape_are_noted(
    write: Write, actual: tuple[int, int]
) -> None:
    dataset = read_detection(write(FOUR, actual))
    assert dataset.boxes.tolist() == corners(FOUR)
    assert any("another size, which is ignored" in note for note in dataset.notes)


def test_a_few_photos_of_another_size_are_noted(write: Write) -> None:
    dataset = read_detection(write(FOUR, [(96, 128), (48, 64), (48, 64), (48, 64)]))
    assert dataset.boxes.tolist() == corners(FOUR)
    assert any("00.png is 128 × 96, not 64 × 48" in note for note in dataset.notes)


def test_a_few_reduced_photos_whose_boxes_reach_beyond_them_are_scaled(write: Write) -> None:
    boxes = [[30, 20, 30, 24], *FOUR[1:]]
    dataset = read_detection(write(boxes, [(24, 32), (48, 64), (48, 64), (48, 64)]))
    assert dataset.boxes.tolist() == corners(boxes[:1], 0.5) + corners(boxes[1:])


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize("on_bad_boxes", [None, "skip"])
@pytest.mark.parametrize(
    ("boxes", "actual", "reason"),
    [
        (FOUR[:1], (96, 128), "fit both sizes, so that they may be in the wrong place"),
        (FOUR[:2], (58, 77), "fit both sizes"),
        ([[100, 80, 60, 60], *FOUR[1:]], (96, 128), "fit neither size"),
        ([[30, 30, 60, 60], *FOUR[1:]], (24, 32), "fit neither size"),
        ([[40, 10, 20, 10], *FOUR], (50, 50), "has another shape, and is too small for the boxes"),
    ],
)
def test_boxes_that_may_be_at_another_scale_are_refused(
    write: Write, boxes: list[list[float]], actual: tuple[int, int], reason: str, on_bad_boxes: Any
) -> None:
    with pytest.raises(LabelError, match=reason) as raised:
        read_detection(write(boxes, actual), on_bad_boxes=on_bad_boxes)
    assert f"00.png is {actual[1]} × {actual[0]}, not 64 × 48" in str(raised.value)
    assert "scale them to the photos, or use these copies" in str(raised.value)
    assert "correct or remove the sizes that they declare" in str(raised.value)


def test_outlines_without_boxes_show_what_they_are_drawn_on(write: Write) -> None:
    outline = [[8, 8, 29, 8, 29, 30, 8, 30]]
    dataset = read_detection(write([[]] * 4, (96, 128), segmentation=outline))
    assert dataset.boxes.tolist() == [[16, 16, 58, 60]] * 4
    reduced = read_detection(write([[]] * 4, (24, 32), segmentation=[[8, 8, 60, 8, 60, 44, 8, 44]]))
    assert reduced.boxes.tolist() == [[4, 4, 30, 22]] * 4
