"""COCO's three forms of masks, read as pycocotools does, and malformed ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hotcoco import mask as packed_rle
from numpy.typing import NDArray
from PIL import Image

from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection, read_unsplit_detection
from boxmask.errors import LabelError

Write = Callable[..., Path]
Make = Callable[..., dict[str, Any]]

SIZE = (40, 60)  # of the photos that `write_coco` writes
TRIANGLE = [10, 10, 30, 10, 30, 30]


@pytest.fixture
def write(write_coco: Write, coco: Make, annotation: Make) -> Write:
    """Write a photo with an object for each segmentation, all in one big box; None gives one without."""

    def write(segmentations: list[Any], box: Any = (0, 0, 60, 40), **more: Any) -> Path:
        own = [{} if one is None else {"segmentation": one} for one in segmentations]
        return write_coco(coco([(1, "a.jpg")], [annotation(1, 1, box) | one | more for one in own]))

    return write


def a_ring() -> NDArray[np.bool_]:
    """A mask with a hole and a separate part."""
    y, x = np.mgrid[:40, :60]
    distance = np.hypot(y - 20, x - 25)
    return ((distance < 15) & (distance > 6)) | (x > 55)


def listed(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Run lengths as a list."""
    pixels = mask.T.ravel().astype(int)
    edges = np.flatnonzero(np.diff(pixels, prepend=0))
    return {"size": [*mask.shape], "counts": np.diff(edges, prepend=0, append=pixels.size).tolist()}


def packed(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Run lengths as text."""
    return {"size": [*mask.shape], "counts": packed_rle.encode(mask)["counts"].decode()}


def as_pycocotools(root: Path) -> list[NDArray[np.bool_]]:
    """The masks of the objects that have a segmentation, by annToMask."""
    coco = pytest.importorskip("pycocotools.coco").COCO(root / "instances.json")
    return [coco.annToMask(one).astype(bool) for one in coco.dataset["annotations"] if "segmentation" in one]


def dense(dataset: DetectionDataset, photo: int = 0) -> NDArray[np.bool_]:
    masks = dataset.masks(photo)
    assert masks is not None
    return masks.dense()


# ---------------------------------------------------------------- what is read


def test_polygons_and_both_run_lengths_give_the_same_mask(write: Write) -> None:
    ring = a_ring()
    dataset = read_detection(write([listed(ring), packed(ring)]))
    assert np.array_equal(dense(dataset), [ring, ring])
    square = np.zeros(SIZE, dtype=bool)
    square[5:20, 10:30] = True
    corners = [10, 5, 30, 5, 30, 20, 10, 20]
    dataset = read_detection(write([[corners], listed(square), packed(square)]))
    assert np.array_equal(dense(dataset), [square] * 3)
    assert dataset.areas.tolist() == [300] * 3
    assert dataset.has_mask.all()


def test_a_hole_that_touches_the_photos_edges(write: Write) -> None:
    frame = np.ones(SIZE, dtype=bool)
    frame[1:-1, 1:-1] = False
    assert np.array_equal(dense(read_detection(write([listed(frame)])))[0], frame)
    assert dense(read_detection(write([listed(np.ones(SIZE, dtype=bool))]))).all()


def test_a_crowd_region_has_a_mask(write: Write) -> None:
    dataset = read_detection(write([listed(a_ring())], iscrowd=1))
    assert dataset.target(0).ignore.tolist() == [True]
    assert np.array_equal(dense(dataset)[0], a_ring())


def test_several_polygons_are_united(write: Write) -> None:
    root = write([[TRIANGLE, [40, 5, 55, 5, 55, 15, 40, 15], [0, 0, 12, 0, 12, 12]]])
    mask = dense(read_detection(root))[0]
    assert np.array_equal(mask, as_pycocotools(root)[0])
    assert mask[10, 48]
    assert mask[12, 25]
    assert not mask[35, 35]


def test_polygons_are_filled_as_pycocotools_fills_them(write: Write) -> None:
    generator = np.random.default_rng(0)
    polygons = [
        [
            generator.uniform(-20, 80, 2 * points).round(generator.integers(0, 4)).tolist()
            for points in generator.integers(3, 9, generator.integers(1, 4))
        ]
        for _ in range(300)
    ]
    root = write(polygons)
    theirs = as_pycocotools(root)
    dataset = read_unsplit_detection(root)
    assert np.array_equal(dense(dataset), theirs)
    assert dataset.has_mask.tolist() == [bool(mask.any()) for mask in theirs]


@pytest.mark.parametrize("nothing", [None, [], {}, [[]], [[], []], [None], [None, []]])
def test_boxes_and_masks_may_be_mixed(write: Write, nothing: Any) -> None:
    dataset = read_detection(write([nothing, [TRIANGLE]]))
    assert dataset.has_mask.tolist() == [False, True]
    assert dataset.boxes.tolist() == [[0, 0, 60, 40]] * 2
    target = dataset.target(0)
    assert target.masks is not None
    assert target.masks.known.tolist() == [False, True]
    assert dataset.areas[0] == 2400
    assert dataset.areas[1] == dense(dataset)[1].sum()


def test_a_data_set_of_boxes_has_no_masks(write: Write) -> None:
    dataset = read_detection(write([None, []]))
    assert dataset.masks(0) is None
    assert dataset.target(0).masks is None
    assert dataset.has_mask.tolist() == [False, False]


def test_a_photo_without_objects_in_a_data_set_with_masks(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    with_mask = annotation(1, 1, [0, 0, 60, 40], segmentation=[TRIANGLE])
    dataset = read_detection(write_coco(coco([(1, "b.jpg"), (2, "a.jpg")], [with_mask])))
    masks = dataset.masks(0)
    assert masks is not None
    assert (len(masks), masks.size) == (0, SIZE)
    assert dense(dataset, 1).any()


def test_masks_stay_with_their_objects_when_sorted_or_left_out(
    write_coco: Write, coco: Make, annotation: Make
) -> None:
    def square(x: int) -> list[list[int]]:
        return [[x, 5, x + 10, 5, x + 10, 15, x, 15]]

    entries = [
        annotation(1, 1, [0, 5, 10, 10], segmentation=square(0)),
        annotation(1, 1, [0, 0, 0, 0], segmentation=square(40)),
        annotation(2, 1, [20, 5, 10, 10], segmentation=square(20)),
        annotation(1, 1, [30, 5, 10, 10], segmentation=square(30)),
    ]
    root = write_coco(coco([(1, "b.jpg"), (2, "a.jpg")], entries))
    dataset = read_detection(root, on_bad_boxes="skip")
    for photo, lefts in ((0, [20]), (1, [0, 30])):
        masks = dataset.masks(photo)
        assert masks is not None
        assert masks.boxes().tolist() == [[x, 5, x + 10, 15] for x in lefts]
        assert np.array_equal(masks.boxes(), dataset.boxes[dataset.rows(photo)])


def test_a_missing_box_is_computed_from_the_outline(write: Write) -> None:
    root = write([[TRIANGLE], listed(a_ring())])
    document = json.loads((root / "instances.json").read_text())
    del document["annotations"][0]["bbox"]
    document["annotations"][1]["bbox"] = None
    (root / "instances.json").write_text(json.dumps(document))
    dataset = read_detection(root)
    assert dataset.boxes.tolist() == [[10, 10, 30, 30], [11, 0, 60, 40]]


def test_a_mask_without_pixels_is_noted_and_unknown(write: Write) -> None:
    speck = [10.1, 10.1, 10.2, 10.1, 10.2, 10.2]
    dataset = read_detection(write([[speck], listed(np.zeros(SIZE, dtype=bool)), [TRIANGLE]]))
    assert dataset.has_mask.tolist() == [False, False, True]
    assert dataset.notes[0].startswith("Outlines that cover no pixel (2):\n  ")
    assert "annotations[0] (id 100)" in dataset.notes[0]
    assert "annotations[1] (id 101)" in dataset.notes[0]


def test_a_photo_of_one_pixel(write: Write) -> None:
    root = write([[[0, 0, 1, 0, 1, 1, 0, 1]], {"size": [1, 1], "counts": [0, 1]}], (0, 0, 1, 1))
    Image.new("RGB", (1, 1)).save(root / "images/a.jpg")
    assert dense(read_detection(root)).tolist() == [[[True]], [[True]]]


# ---------------------------------------------------------------- what is left out


@pytest.mark.parametrize("small", [[], None, [1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("needs_masks", [True, False])
def test_parts_of_fewer_than_three_points_are_left_out(write: Write, small: Any, needs_masks: bool) -> None:
    expected = read_detection(write([[TRIANGLE]]))
    for parts in ([TRIANGLE, small], [small, TRIANGLE], [small, small, TRIANGLE]):
        dataset = read_detection(write([parts]), needs_masks=needs_masks)
        assert np.array_equal(dense(dataset), dense(expected))
        (note,) = (note for note in dataset.notes if "utline" in note)
        assert note.startswith("Parts of outlines with fewer than 3 points, which are left out (1):\n  ")
        assert "annotations[0] (id 100)" in note


MALFORMED: list[Any] = [
    [[1, 2, 3, 4]],
    [[1, 2], [3, 4], [5, 6]],
    "outline",
    [TRIANGLE, 7],
    [[1, 2, 3, "4", 5, 6]],
    {"counts": [2400]},
    {"size": [40, 60], "counts": [10, 20]},
]


@pytest.mark.parametrize("segmentation", MALFORMED)
@pytest.mark.parametrize("on_bad_boxes", [None, "error", "skip"])
def test_boxes_are_learned_from_objects_whose_outlines_cannot_be_read(
    write: Write, segmentation: Any, on_bad_boxes: OnBadBoxes | None
) -> None:
    root = write([segmentation, [TRIANGLE]])
    dataset = read_detection(root, on_bad_boxes=on_bad_boxes, needs_masks=False)
    assert dataset.has_mask.tolist() == [False, True]
    assert dataset.boxes.tolist() == [[0, 0, 60, 40]] * 2
    assert dataset.areas[0] == 2400
    (note,) = (note for note in dataset.notes if "outline" in note)
    assert note.startswith("left out: the outlines of 1 of 2 objects (50 %): ")
    assert "; the boxes of these objects are used:\n" in note
    assert "annotations[0] (id 100): " in note


@pytest.mark.parametrize("segmentation", MALFORMED)
def test_bad_outlines_are_left_out_on_request(write: Write, segmentation: Any) -> None:
    root = write([segmentation, [TRIANGLE]])
    assert read_detection(root, on_bad_boxes="skip").has_mask.tolist() == [False, True]
    for choice in (None, "error"):
        with pytest.raises(LabelError, match=r"--on-bad-boxes skip \(in Python: on_bad_boxes=\"skip\"\)"):
            read_detection(root, on_bad_boxes=choice)


def test_few_bad_outlines_are_left_out_by_default(write: Write) -> None:
    root = write([[TRIANGLE]] * 100 + [[[1, 2]], None, None])
    dataset = read_detection(root)
    assert dataset.has_mask.sum() == 100
    assert any(
        note.startswith("left out: the outlines of 1 of 103 objects (0.97 %)") for note in dataset.notes
    )
    with pytest.raises(LabelError, match=r"Polygons with fewer than 3 points \(1 of 103, 0\.97 %\)"):
        read_detection(root, on_bad_boxes="error")


def test_one_bad_outline_among_boxes_names_its_share_of_all_objects_and_the_flag(write: Write) -> None:
    root = write([[[1, 2]], *[None] * 9])
    with pytest.raises(LabelError, match=r"\(1 of 10, 10 %\)(.*\n)*.*with --on-bad-boxes skip"):
        read_detection(root)
    assert len(read_detection(write([[[1, 2]], *[None] * 149])).boxes) == 150


def test_run_lengths_of_another_size_stop_boxes_too(write: Write) -> None:
    root = write([{"size": [60, 40], "counts": [2400]}])
    with pytest.raises(LabelError, match="its run lengths cover 40 × 60 pixels, its photo is 60 × 40"):
        read_detection(root, needs_masks=False)
    assert len(read_detection(root, on_bad_boxes="skip", needs_masks=False).boxes) == 1


def test_an_object_without_box_and_readable_outline_is_a_bad_box(write: Write) -> None:
    root = _without_boxes(write([[[1, 2, 3, 4]], [TRIANGLE]]))
    with pytest.raises(LabelError, match="has no box, and no mask to compute one from"):
        read_detection(root, needs_masks=False)
    assert read_detection(root, on_bad_boxes="skip").has_mask.tolist() == [True]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ("outline", "expected a list of polygons, .* found outline"),
        (TRIANGLE, r"expected a list of polygons, .* found \[10, 10, 30"),
        ([TRIANGLE, 7], "expected a list of polygons"),
        ([[1, 2, 3, 4]], "a polygon of 2 points; it needs at least 3"),
        ([[], [1, 2]], "a polygon of 0 points; it needs at least 3"),
        ([TRIANGLE, [], 7], "expected a list of polygons"),
        ([TRIANGLE, [1, 2, 3, 4, 5, 6, 7]], "a polygon of 7 numbers; each point needs x and y"),
        ([[1, 2, 3, "4", 5, 6]], r"expected a polygon of numbers, found \[1, 2, 3, '4'"),
        ([[1, 2, 3, True, 5, 6]], "expected a polygon of numbers"),
        ([[1, 2, 3, float("nan"), 5, 6]], "a polygon with a coordinate that is not finite"),
        ([[1, 2, 3e9, 4, 5, 6]], r"an outline at x 1 to 3e\+09, y 2 to 6 in a photo of 60 × 40 pixels"),
        ([[1, 2, 3, -61, 5, 6]], "an outline at x 1 to 5, y -61 to 6 in a photo"),
        ({"size": [60, 40], "counts": [2400]}, "cover 40 × 60 pixels, its photo is 60 × 40"),
        ({"counts": [2400]}, r'"size" as \[height, width\], found None'),
        ({"size": [40.0, 60], "counts": [2400]}, r"as \[height, width\], found \[40\.0, 60\]"),
        ({"size": [40, 60]}, r'"counts" as whole numbers or text, found None'),
        ({"size": [40, 60], "counts": [1.5, 2398.5]}, r'"counts" as whole numbers'),
        ({"size": [40, 60], "counts": [10, 20]}, "add up to 30, its size of 60 × 40 has 2400 pixels"),
        ({"size": [40, 60], "counts": []}, "add up to 0"),
        ({"size": [40, 60], "counts": [2500, -100]}, "a run length of -100"),
        ({"size": [40, 60], "counts": "34"}, "add up to 7"),
        ({"size": [40, 60], "counts": "3P"}, "empty or incomplete"),
        ({"size": [40, 60], "counts": "3 4"}, "invalid character ' ' at index 1"),
    ],
)
def test_malformed_segmentations_are_refused(write: Write, segmentation: Any, reason: str) -> None:
    root = write([[TRIANGLE], segmentation])
    where = r"instances\.json:\d+: annotations\[1\] \(id 101\): "
    with pytest.raises(LabelError, match=rf"(?s) \(1 of 2, 50 %\):\n.*{where}.*{reason}.*\n\w+ these"):
        read_detection(root)


def test_all_errors_are_reported_at_once(write: Write) -> None:
    with pytest.raises(
        LabelError, match=r"(?s)\(2 of 4, 50 %\):.*cannot be read \(1 of 4, 25 %\):"
    ) as raised:
        read_detection(write([[[1, 2]], [TRIANGLE], [[1, 2, 3]], 7]))
    for row in (0, 2, 3):
        assert f"annotations[{row}]" in str(raised.value)


def test_an_object_without_box_and_mask_is_refused(write: Write) -> None:
    with pytest.raises(LabelError, match=r"annotations\[0\] \(id 100\): has no bbox"):
        read_detection(_without_boxes(write([None])))
    root = _without_boxes(write([[[1, 1, 1, 1, 1]], [TRIANGLE]]))
    with pytest.raises(
        LabelError, match=r"\(id 100\): cat in .* has no box, and no mask to compute one from"
    ):
        read_detection(root)
    assert len(read_detection(root, on_bad_boxes="skip").boxes) == 1


def _without_boxes(root: Path) -> Path:
    document = json.loads((root / "instances.json").read_text())
    for entry in document["annotations"]:
        del entry["bbox"]
    (root / "instances.json").write_text(json.dumps(document, indent=1))
    return root


# ---------------------------------------------------------------- the real sets


@pytest.mark.parametrize(("name", "file"), [("dsb2018", "instances.json"), ("fruits_nuts", "trainval.json")])
def test_real_masks_agree_with_pycocotools(shared_data: Path, name: str, file: str) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO(shared_data / name / file)
    dataset = read_unsplit_detection(shared_data / name)
    assert dataset.has_mask.all()
    for photo, image_id in enumerate(dataset.image_ids.tolist()):
        theirs = [coco.annToMask(entry) for entry in coco.loadAnns(coco.getAnnIds(image_id))]
        assert np.array_equal(dense(dataset, photo), np.array(theirs, dtype=bool))
