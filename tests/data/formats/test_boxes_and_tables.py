"""Round trips of YOLO, CSV and CreateML: what a writer wrote is read back, as far as the format holds it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.data.findings import Findings
from boxmask.data.formats import createml, csv_tables, yolo
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.names import class_name

SIZE = (30, 40)  # height, width

CLASS_NAMES = st.one_of(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6),
    st.sampled_from(
        ["a b", "no", "007", "1e3", "~", "a: b", "#x", "x,y", 'q"x', "é", "日本", "🍎", "- a", "null"]
    ),
).filter(lambda name: name == class_name(name))
FILES = st.one_of(
    st.sampled_from(
        ["a.b", "a b", "ß", "日本", "a%20b", "x,y", "a;b", "#1", "a'b", "classes", "train", "README", 'a"b']
    ),
    st.text("abcXYZ09_-é", min_size=1, max_size=6),
)
FOLDERS = st.sampled_from(["", "cam 1/", "ü/d.d/", "images/", "photos/", "labels/", "a,b/"])


def edges(high: int) -> st.SearchStrategy[tuple[float, float]]:
    """Two numbers from 0 to `high`, not the same."""
    numbers = st.one_of(st.integers(0, high).map(float), st.floats(0, high))
    return st.tuples(numbers, numbers).map(sorted).filter(lambda pair: pair[1] - pair[0] > 1e-3)  # type: ignore


BOXES = st.tuples(edges(SIZE[1]), edges(SIZE[0])).map(lambda e: (e[0][0], e[1][0], e[0][1], e[1][1]))


@st.composite
def polygon(draw: st.DrawFn) -> np.ndarray:
    points = st.tuples(st.floats(0, SIZE[1]), st.floats(0, SIZE[0]))
    return np.array(draw(st.lists(points, min_size=3, max_size=6)))


def photos_to_write(
    *, outlines: bool, empty: bool
) -> st.SearchStrategy[tuple[list[PhotoToWrite], ClassNames]]:
    """Photos with objects, all in splits or none.

    outlines: whether objects may have polygons of one part
    empty:    whether photos may have no object
    """

    @st.composite
    def draw_photos(draw: st.DrawFn) -> tuple[list[PhotoToWrite], ClassNames]:
        names = draw(st.lists(CLASS_NAMES, min_size=1, max_size=4, unique=True))
        splits = draw(st.sampled_from([[""], ["train", "val", "test"]]))
        unique = st.lists(
            st.tuples(FOLDERS, FILES), min_size=1, max_size=5, unique_by=lambda f: (f[0] + f[1]).casefold()
        )
        photos = []
        for folder, stem in draw(unique):
            file = f"{folder}{stem}{draw(st.sampled_from(['.jpg', '.PNG']))}"
            objects = []
            for _ in range(draw(st.integers(0 if empty else 1, 3))):
                outline = Polygons((draw(polygon()),)) if outlines and draw(st.booleans()) else None
                box = draw(BOXES) if outline is None else tuple(outline.bounds().tolist())
                objects.append(ObjectToWrite(draw(st.sampled_from(names)), box, outline))
            photos.append(PhotoToWrite(Path(file), file, SIZE, draw(st.sampled_from(splits)), tuple(objects)))
        return sorted(photos, key=lambda photo: photo.file), ClassNames.of(names, {})

    return draw_photos()


def write_and_read(
    form: ModuleType, photos: Sequence[PhotoToWrite], class_names: ClassNames
) -> tuple[Labels, Losses, Findings]:
    """What is read from a folder that the writer of a format wrote. Photos are empty files."""
    losses, findings = Losses(), Findings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def placed() -> Iterator[PhotoToWrite]:
            for photo in photos:
                path = folder / form.WRITER.photo_file(photo.file, photo.split)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)
                yield photo

        for path in form.WRITER.write(placed(), class_names, folder, losses):
            assert path.is_file()
        source = find_source(folder)
        files = form.recognize(source)
        assert files
        labels = form.read(source, files, findings)
    return labels, losses, findings


def in_pixels(labels: Labels) -> np.ndarray:
    """Boxes in pixels of photos of SIZE."""
    factor = 1 if labels.unit == "pixel" else np.array(SIZE)[[1, 0, 1, 0]]
    return labels.boxes * factor


def check_equal(form: ModuleType, photos: Sequence[PhotoToWrite], labels: Labels, tolerance: float) -> None:
    boxes = in_pixels(labels)
    index_of = {photo.file: index for index, photo in enumerate(labels.photos)}
    assert len(index_of) == len(photos)
    for photo in photos:
        index = index_of[form.WRITER.photo_file(photo.file, photo.split)]
        assert not labels.photos[index].missing_name
        assert (labels.photos[index].split or "") == photo.split
        rows = np.flatnonzero(labels.photo_of == index).tolist()
        assert [labels.class_names[labels.labels[row]] for row in rows] == [
            o.class_name for o in photo.objects
        ]
        for row, labeled in zip(rows, photo.objects, strict=True):
            assert boxes[row].tolist() == pytest.approx(labeled.box, rel=0, abs=tolerance)
            check_same_outline(labels.outline(row) if labels.outline else None, labeled.outline)


def check_same_outline(found: Outline | None, expected: Outline | None) -> None:
    if expected is None:
        assert found is None
        return
    assert isinstance(found, Polygons)
    assert isinstance(expected, Polygons)
    assert np.allclose(
        found.scale((SIZE[1], SIZE[0])).parts[0], expected.parts[0], rtol=0, atol=1e-12 * SIZE[1]
    )


# ---------------------------------------------------------------- YOLO


@given(photos_to_write(outlines=True, empty=True))
def test_yolo_holds_boxes_and_polygons(written: tuple[list[PhotoToWrite], ClassNames]) -> None:
    photos, class_names = written
    if not any(photo.objects for photo in photos):
        return  # without any line, nothing tells YOLO's empty files from others
    labels, losses, findings = write_and_read(yolo, photos, class_names)
    assert labels.class_names == tuple(class_names)
    check_equal(yolo, photos, labels, tolerance=1e-12 * SIZE[1])
    assert not len(findings)
    assert [what for what, _ in losses] == ([] if photos[0].split else [yolo.write._NO_SPLITS])


def photo(*objects: ObjectToWrite, split: str = "train") -> PhotoToWrite:
    return PhotoToWrite(Path("a.jpg"), "a.jpg", SIZE, split, objects)


def lost(losses: Losses) -> list[str]:
    return [what for what, _ in losses]


SQUARE = np.array([[2, 2], [12, 2], [12, 12], [2, 12]], dtype=np.float64)
FAR = np.array([20, 0])
WHOLE = (2.0, 2.0, 12.0, 12.0)
MASK = np.zeros(SIZE, dtype=bool)
MASK[2:12, 2:12] = True
MASK[5:7, 5:7] = False


@pytest.mark.parametrize(
    ("labeled", "expected"),
    [
        (ObjectToWrite("cat", WHOLE, Polygons((SQUARE,), (SQUARE / 2 + 2,))), ["holes in outlines"]),
        (ObjectToWrite("cat", (2, 2, 32, 12), Polygons((SQUARE, SQUARE + FAR))), ["several parts"]),
        (
            ObjectToWrite("cat", WHOLE, RunLengths(rle.encode(Masks.from_dense(MASK[None]))[0], SIZE)),
            ["masks are"],
        ),
        (ObjectToWrite("cat", WHOLE, Ellipse((7, 7), (5, 5))), ["ellipses"]),
        (ObjectToWrite("cat", (5, 5, 15, 15), RotatedBox((10, 10), (10, 10), 0)), []),
        (ObjectToWrite("cat", (0, 0, 20, 20), Polygons((SQUARE,))), ["boxes that differ"]),
        (ObjectToWrite("cat", (-1, 2, 12, 31)), ["clipped"]),
        (ObjectToWrite("cat", (-1, 2, 9, 12), Polygons((SQUARE - [3, 0],))), ["clipped"]),
        (ObjectToWrite("cat", WHOLE, crowd=True), ["crowd"]),
        (ObjectToWrite("cat", WHOLE, difficult=True, attributes={"occluded": 1}), ["difficult", "occluded"]),
    ],
)
def test_what_yolo_cannot_hold_is_listed(labeled: ObjectToWrite, expected: list[str]) -> None:
    labels, losses, _ = write_and_read(yolo, [photo(labeled)], ClassNames.of(["cat"], {}))
    assert all(any(word in what for what in lost(losses)) for word in expected)
    assert len(lost(losses)) == len(expected)
    if labeled.outline is not None and "clipped" not in expected:
        assert labels.outline is not None
        outline = labels.outline(0)
        assert isinstance(outline, Polygons)
        filled = fill(outline.scale((SIZE[1], SIZE[0])), SIZE, SIZE)
        assert filled.tolist() == fill(labeled.outline, SIZE, SIZE).tolist()


def test_yolo_keeps_fractions_within_the_photo() -> None:
    labels, _, _ = write_and_read(
        yolo, [photo(ObjectToWrite("cat", (-1, 2, 12, 31)))], ClassNames.of(["cat"], {})
    )
    assert in_pixels(labels)[0].tolist() == pytest.approx([0, 2, 12, 30])


def test_photos_without_a_split_beside_others_are_a_loss_of_yolo() -> None:
    unsplit = PhotoToWrite(Path("b.jpg"), "b.jpg", SIZE, "", (ObjectToWrite("cat", WHOLE),))
    labels, losses, _ = write_and_read(
        yolo, [photo(ObjectToWrite("cat", WHOLE)), unsplit], ClassNames.of(["cat"], {})
    )
    assert [found.file for found in labels.photos] == ["images/train/a.jpg"]
    assert dict(losses) == {"photos in no split are not named in data.yaml": ["b.jpg"]}


# ---------------------------------------------------------------- CSV and CreateML


@given(photos_to_write(outlines=False, empty=False))
def test_csv_holds_boxes_exactly(written: tuple[list[PhotoToWrite], ClassNames]) -> None:
    photos, class_names = written
    labels, losses, findings = write_and_read(csv_tables, photos, class_names)
    check_equal(csv_tables, photos, labels, tolerance=0)
    assert not len(findings)
    assert all(found.declared_size == SIZE for found in labels.photos)
    check_unnamed_classes(photos, class_names, labels, losses)


@given(photos_to_write(outlines=False, empty=True))
def test_createml_holds_boxes(written: tuple[list[PhotoToWrite], ClassNames]) -> None:
    photos, class_names = written
    labels, losses, findings = write_and_read(createml, photos, class_names)
    check_equal(createml, photos, labels, tolerance=1e-12 * SIZE[1])
    assert not len(findings)
    check_unnamed_classes(photos, class_names, labels, losses)


def check_unnamed_classes(
    photos: Sequence[PhotoToWrite], class_names: ClassNames, labels: Labels, losses: Losses
) -> None:
    used = {labeled.class_name for photo in photos for labeled in photo.objects}
    unused = [name for name in class_names if name not in used]
    assert set(labels.class_names) == used
    assert lost(losses) == (
        [f"classes without objects are not named in the labels: {', '.join(unused)}"] if unused else []
    )


@pytest.mark.parametrize("form", [csv_tables, createml])
def test_what_tables_cannot_hold_is_listed(form: ModuleType) -> None:
    labeled = ObjectToWrite("cat", WHOLE, Polygons((SQUARE,)), crowd=True, attributes={"occluded": True})
    _, losses, _ = write_and_read(form, [photo(labeled)], ClassNames.of(["cat"], {"cat": {"color": "red"}}))
    expected = ["outlines are not written, only boxes", "crowd regions are written as objects"]
    expected += [
        "the attribute occluded of objects is not written",
        "the attribute color of classes is not written",
    ]
    assert lost(losses) == expected


def test_csv_does_not_name_photos_without_objects() -> None:
    empty = PhotoToWrite(Path("b.jpg"), "b.jpg", SIZE, "train", ())
    labels, losses, _ = write_and_read(
        csv_tables, [photo(ObjectToWrite("cat", WHOLE)), empty], ClassNames.of(["cat"], {})
    )
    assert [found.file for found in labels.photos] == ["images/a.jpg"]
    assert dict(losses) == {"photos without objects are not named in the labels": ["b.jpg"]}
