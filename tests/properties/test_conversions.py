"""Every writer holds what it says: labels that were written without a loss are read back unchanged.

What a format cannot hold, its writer must list. So each test converts labels of one kind, and compares them
with what is read from the result, except for what was listed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from boxmask.data.conversion.photo_names import names_of_photos
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite, Writer
from boxmask.data.formats.table import WRITERS
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks

HEIGHT, WIDTH = 40, 60
SIZE = (HEIGHT, WIDTH)
CLASSES = ("ant", "bee hive", "chat noir & <犬>", "d,e")

OBJECT_WRITERS = [writer for writer in WRITERS if writer.NAME not in ("class-folders", "label-maps")]
WRITERS_OF_BOXES = [writer for writer in OBJECT_WRITERS if writer.NAME != "instance-maps"]

COMPUTED = ("createml", "label-studio", "voc", "yolo")
"""Formats whose numbers are computed from pixels: from 1 on, from a center, or divided by the size of the
photo. They differ in the last digit of float64. All others hold numbers exactly."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Two photos to label."""
    with tempfile.TemporaryDirectory() as name:
        for number, suffix in enumerate(("jpg", "png")):
            Image.new("RGB", (WIDTH, HEIGHT), (90 * number, 80, 70)).save(Path(name) / f"{number}.{suffix}")
        yield Path(name)


# ---------------------------------------------------------------- labels

whole_boxes = st.builds(
    lambda x, y, w, h: (float(x), float(y), float(x + w), float(y + h)),
    st.integers(0, 30),
    st.integers(0, 20),
    st.integers(2, 29),
    st.integers(2, 19),
)
boxes = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h),
    st.floats(0, 30),
    st.floats(0, 20),
    st.floats(1.5, 29),
    st.floats(1.5, 19),
)


def box_of(outline: Outline) -> tuple[float, float, float, float]:
    """The box that readers compute from an outline."""
    if isinstance(outline, RunLengths):
        bounds = rle.decode([outline.counts.astype(np.int64)], SIZE).boxes()[0].astype(np.float64)
    else:
        bounds = np.clip(outline.bounds(), 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
    x1, y1, x2, y2 = bounds.tolist()
    return x1, y1, x2, y2


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], dtype=np.float64)


def mask_of(x: int, y: int) -> RunLengths:
    """A ring, and a pixel apart from it."""
    dense = np.zeros((1, *SIZE), dtype=bool)
    dense[0, y : y + 9, x : x + 9] = True
    dense[0, y + 3 : y + 6, x + 3 : x + 6] = False
    dense[0, y + 12, x + 12] = True
    return RunLengths(rle.encode(Masks.from_dense(dense))[0].astype(np.int32), SIZE)


corners = st.tuples(st.floats(0, 30), st.floats(0, 20))
triangles = st.tuples(corners, st.floats(4, 20)).map(
    lambda drawn: np.array([drawn[0], np.add(drawn[0], (drawn[1], 1)), np.add(drawn[0], (2, drawn[1]))])
)
outlines: dict[str, st.SearchStrategy[Outline]] = {
    "polygons": triangles.map(lambda part: Polygons((part,))),
    "several parts": st.builds(
        lambda x, y: Polygons((square(x, y, 5), square(x + 12, y + 3, 4))), st.floats(0, 40), st.floats(0, 30)
    ),
    "holes": st.builds(
        lambda x, y: Polygons((square(x, y, 9),), (square(x + 3, y + 3, 3),)),
        st.floats(0, 40),
        st.floats(0, 30),
    ),
    "ellipses": st.builds(Ellipse, st.just((30.0, 20.0)), st.tuples(st.floats(2, 20), st.floats(2, 15))),
    "circles": st.builds(lambda radius: Ellipse((30.0, 20.0), (radius, radius)), st.floats(2, 15)),
    "rotated boxes": st.builds(
        RotatedBox, st.just((30.0, 20.0)), st.tuples(st.floats(4, 20), st.floats(4, 15)), st.floats(5, 80)
    ),
    "masks": st.builds(mask_of, st.integers(0, 45), st.integers(0, 25)),
}

plain = st.builds(ObjectToWrite, st.sampled_from(CLASSES), st.one_of(whole_boxes, boxes))
outlined = {
    kind: st.builds(
        lambda name, outline: ObjectToWrite(name, box_of(outline), outline), st.sampled_from(CLASSES), drawn
    )
    for kind, drawn in outlines.items()
}
objects: dict[str, st.SearchStrategy[ObjectToWrite]] = {
    "boxes": plain,
    "crowd": st.builds(replace, plain, crowd=st.booleans()),
    "difficult": st.builds(replace, plain, difficult=st.booleans()),
    "attributes": st.builds(
        replace,
        plain,
        attributes=st.sampled_from([{}, {"truncated": True}, {"occluded": True, "pose": "Left"}]),
    ),
    **outlined,
    "mixed": st.one_of(plain, *outlined.values()),
}

FILES = ("a.jpg", "cam 1/a.jpg", "cam 1/ü.x.jpg", "images/b#1.png", "été & <x>/c'1\".png", "z/日本.jpg")
splits = st.sampled_from(["", "train", "val", "test"])


@st.composite
def photos_to_write(draw: st.DrawFn, kind: str) -> list[PhotoToWrite]:
    files = sorted(draw(st.sets(st.sampled_from(FILES), min_size=1, max_size=4)))
    photos = [
        PhotoToWrite(Path(file), file, SIZE, draw(splits), tuple(draw(st.lists(objects[kind], max_size=3))))
        for file in files
    ]
    names = names_of_photos(files, [photo.split for photo in photos])
    return [replace(photo, file=name) for photo, name in zip(photos, names, strict=True)]


# ---------------------------------------------------------------- writing and reading


@dataclass(frozen=True)
class Written:
    """A data set that was written, and what its writer lists as lost."""

    root: Path
    losses: frozenset[str]

    def read(self) -> DetectionDataset:
        return read_unsplit_detection(self.root, "error")


@contextmanager
def written(writer: Writer, photos: Sequence[PhotoToWrite], folder: Path) -> Iterator[Written]:
    with tempfile.TemporaryDirectory() as name:
        root, losses = Path(name) / "data", Losses()
        root.mkdir()

        def placed() -> Iterator[PhotoToWrite]:
            for photo in photos:
                path = root / writer.photo_file(photo.file, photo.split)
                assert path.resolve().is_relative_to(root)
                assert not path.exists()
                path.parent.mkdir(parents=True, exist_ok=True)
                original = folder / ("0.jpg" if photo.file.endswith("jpg") else "1.png")
                path.write_bytes(original.read_bytes())
                yield replace(photo, path=path)

        class_names = ClassNames(sorted({o.class_name for photo in photos for o in photo.objects}))
        files = writer.write(placed(), class_names, root, losses)
        assert all(file.is_file() and file.resolve().is_relative_to(root) for file in files)
        yield Written(root, frozenset(what for what, _ in losses))


def by_name(dataset: DetectionDataset, writer: Writer, photos: Sequence[PhotoToWrite]) -> list[int]:
    """The index of each photo in the data set that was read."""
    index = {file: number for number, file in enumerate(dataset.files.tolist())}
    assert sorted(index) == sorted(writer.photo_file(photo.file, photo.split) for photo in photos)
    return [index[writer.photo_file(photo.file, photo.split)] for photo in photos]


def check_mask(dataset: DetectionDataset, row: int, expected: list[int], *, exact: bool) -> None:
    """exact: False if pixels at the edge of a polygon may differ, because its points do in the last digit"""
    found = dataset.runs[dataset.run_offsets[row] : dataset.run_offsets[row + 1]].tolist()
    if exact or not expected:
        assert found == expected
        return
    pixels = rle.decode([np.array(found), np.array(expected)], SIZE).dense()
    inner = [ndimage.binary_erosion(mask) for mask in pixels]
    assert not (inner[0] & ~pixels[1]).any()
    assert not (inner[1] & ~pixels[0]).any()


def check_photo(dataset: DetectionDataset, index: int, photo: PhotoToWrite, *, exact: bool) -> None:
    """Objects in their order, with classes, boxes and masks."""
    rows = dataset.rows(index)
    assert tuple(dataset.sizes[index].tolist()) == photo.size
    assert [dataset.class_names[label] for label in dataset.labels[rows]] == [
        o.class_name for o in photo.objects
    ]
    assert dataset.crowd[rows].tolist() == [labeled.crowd for labeled in photo.objects]
    assert dataset.difficult[rows].tolist() == [labeled.difficult for labeled in photo.objects]
    expected = np.array([labeled.box for labeled in photo.objects], dtype=np.float64).reshape(-1, 4)
    assert np.allclose(dataset.boxes[rows], expected.astype(np.float32), atol=0 if exact else 1e-5, rtol=0)
    for row, labeled in zip(range(rows.start, rows.stop), photo.objects, strict=True):
        runs = [] if labeled.outline is None else fill(labeled.outline, SIZE, SIZE).tolist()
        check_mask(dataset, row, runs, exact=exact)


@pytest.mark.parametrize("kind", objects)
@pytest.mark.parametrize("writer", OBJECT_WRITERS, ids=lambda writer: writer.NAME)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_not_listed_as_lost_is_read_back(
    writer: Writer, kind: str, data: st.DataObject, folder: Path
) -> None:
    photos = data.draw(photos_to_write(kind))
    if not any(photo.objects for photo in photos):
        return
    if writer.NAME == "instance-maps":
        photos = [replace(photo, objects=tuple(o for o in photo.objects if o.outline)) for photo in photos]
        if not any(photo.objects for photo in photos):
            return
    with written(writer, photos, folder) as result:
        if result.losses:
            return
        dataset = result.read()
        assert dataset.class_names == tuple(sorted({o.class_name for p in photos for o in p.objects}))
        for index, photo in zip(by_name(dataset, writer, photos), photos, strict=True):
            assert dataset.splits[index] == photo.split
            check_photo(dataset, index, photo, exact=writer.NAME not in COMPUTED)


@pytest.mark.parametrize("writer", WRITERS_OF_BOXES, ids=lambda writer: writer.NAME)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_boxes_of_whole_pixels_are_held_exactly(writer: Writer, data: st.DataObject, folder: Path) -> None:
    strategy = st.builds(ObjectToWrite, st.sampled_from(CLASSES), whole_boxes)
    drawn = tuple(data.draw(st.lists(strategy, min_size=1, max_size=4)))
    photos = [PhotoToWrite(Path("a.jpg"), "a.jpg", SIZE, "train", drawn)]
    with written(writer, photos, folder) as result:
        assert not result.losses
        dataset = result.read()
    assert dataset.boxes.tolist() == [list(labeled.box) for labeled in drawn]
    assert [dataset.class_names[label] for label in dataset.labels] == [o.class_name for o in drawn]


# ---------------------------------------------------------------- one data set in all formats


def of_whole_pixels(with_outlines: bool) -> list[PhotoToWrite]:
    """Three photos, whose numbers every format holds exactly."""

    def labeled(name: str, x: int, y: int) -> ObjectToWrite:
        outline = Polygons((square(x, y, 8),)) if with_outlines else None
        return ObjectToWrite(name, (x, y, x + 8, y + 8), outline)

    objects = {
        "a.jpg": [("ant", 4, 4), ("bee", 20, 8)],
        "b.png": [("ant", 12, 16)],
        "cam 1/c.jpg": [("bee", 0, 0)],
    }
    splits = {"a.jpg": "train", "b.png": "val", "cam 1/c.jpg": "test"}
    return [
        PhotoToWrite(Path(file), file, SIZE, splits[file], tuple(labeled(*values) for values in drawn))
        for file, drawn in objects.items()
    ]


def with_common_names(dataset: DetectionDataset) -> DetectionDataset:
    """The data set with the names that all formats share, without the folders of each."""
    names = names_of_photos(dataset.files.tolist(), dataset.splits.tolist())
    order = np.argsort(names)
    return replace(dataset.subset(order), files=np.array(names)[order])


@pytest.mark.parametrize("with_outlines", [False, True])
def test_all_formats_give_the_same_data_set(folder: Path, with_outlines: bool) -> None:
    photos, datasets = of_whole_pixels(with_outlines), dict[str, DetectionDataset]()
    for writer in WRITERS_OF_BOXES:
        with written(writer, photos, folder) as result:
            if not any("only boxes" in what for what in result.losses):
                datasets[writer.NAME] = with_common_names(result.read())
    reference = datasets["coco"]
    assert set(datasets) >= {"coco", "cvat", "label-studio", "labelme", "via", "voc", "yolo"}
    for name, dataset in datasets.items():
        assert dataset.boxes.tolist() == reference.boxes.tolist(), name
        assert dataset.runs.tolist() == reference.runs.tolist(), name
        assert dataset.fingerprint() == reference.fingerprint(), name
