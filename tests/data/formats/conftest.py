"""Write labels in a format, and read them back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from boxmask.data.findings import Findings
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.names import class_name

SIZE = (30, 40)

numbers = st.one_of(
    st.integers(0, 30).map(float),
    st.floats(0, 30, allow_nan=False, width=64),
    st.decimals(0, 30, places=3).map(float),
)
words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)
nasty = st.sampled_from(
    ["a b", "ß", "é", "日本", "a.b", ".c", "a%20b", "a'b", 'q"x', "x,y", "a&b<c>", "a;b", "#1"]
)
names = st.one_of(words, nasty).filter(lambda name: name == class_name(name))
file_names = st.one_of(nasty, st.text("abcXYZ09_- é", min_size=1, max_size=8)).map(
    lambda name: f"x{name.strip()}x"
)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x1, y1 = draw(numbers), draw(numbers)
    x2, y2 = x1 + draw(st.floats(0.01, 5)), y1 + draw(st.floats(0.01, 5))
    return x1, y1, x2, y2


@st.composite
def polygons(draw: st.DrawFn) -> np.ndarray:
    points = draw(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6))
    return np.array(points, dtype=np.float64)


@st.composite
def masks(draw: st.DrawFn) -> RunLengths:
    dense = np.zeros((1, *SIZE), dtype=bool)
    for _ in range(draw(st.integers(1, 3))):
        x, y = draw(st.integers(0, SIZE[1] - 1)), draw(st.integers(0, SIZE[0] - 1))
        dense[0, y : y + draw(st.integers(1, 9)), x : x + draw(st.integers(1, 9))] = True
    return RunLengths(rle.encode(Masks.from_dense(dense))[0], SIZE)


def outlines(kinds: Sequence[str]) -> st.SearchStrategy[Outline | None]:
    """kinds: "polygon", "parts", "holes", "mask", "circle", "ellipse", "rotated"; boxes are among them"""
    points, radius, angle = st.tuples(numbers, numbers), st.floats(0.5, 9), st.floats(0.5, 170)
    by_kind: dict[str, st.SearchStrategy[Outline]] = {
        "polygon": polygons().map(lambda part: Polygons((part,))),
        "parts": st.lists(polygons(), min_size=2, max_size=3).map(lambda parts: Polygons(tuple(parts))),
        "mask": masks(),
        "circle": st.builds(lambda center, r: Ellipse(center, (r, r)), points, radius),
        "ellipse": st.builds(Ellipse, points, st.tuples(radius, radius), angle),
        "rotated": st.builds(RotatedBox, points, st.tuples(radius, radius), angle),
    }
    return st.one_of(st.none(), *(by_kind[kind] for kind in kinds))


@st.composite
def photos_to_write(
    draw: st.DrawFn,
    kinds: Sequence[str],
    attributes: st.SearchStrategy[Mapping[str, object]],
    photo_attributes: st.SearchStrategy[Mapping[str, object]],
    splits: Sequence[str] = ("", "train", "val", "test"),
) -> tuple[list[PhotoToWrite], ClassNames]:
    class_names = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    files = draw(st.lists(file_names, min_size=1, max_size=4, unique_by=str.casefold))
    photos = []
    for file in sorted(files):
        objects = []
        for _ in range(draw(st.integers(0, 3))):
            outline = draw(outlines(kinds))
            box = draw(boxes()) if outline is None else box_of(outline)
            objects.append(
                ObjectToWrite(
                    draw(st.sampled_from(class_names)),
                    box,
                    outline,
                    draw(st.booleans()),
                    draw(st.booleans()),
                    draw(attributes),
                )
            )
        folder, suffix = st.sampled_from(["", "cam 1/", "ü/d.d/"]), st.sampled_from([".jpg", ".PNG"])
        name = f"{draw(folder)}{file}{draw(suffix)}"
        photos.append(
            PhotoToWrite(
                Path(name), name, SIZE, draw(st.sampled_from(splits)), tuple(objects), draw(photo_attributes)
            )
        )
    return photos, ClassNames.of(class_names, {})


def box_of(outline: Outline) -> tuple[float, float, float, float]:
    if isinstance(outline, RunLengths):
        return tuple(rle.decode([outline.counts], outline.size).boxes()[0].tolist())
    height, width = SIZE
    return tuple(np.clip(outline.bounds(), 0, (width, height, width, height)).tolist())


def write_and_read(
    form: ModuleType, photos: Sequence[PhotoToWrite], class_names: ClassNames
) -> tuple[Labels, Losses, Findings]:
    """Labels as they are read from what the format's writer wrote. Photos are empty files."""
    losses, findings = Losses(), Findings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def placed() -> Iterator[PhotoToWrite]:
            for photo in photos:
                path = folder / form.WRITER.photo_file(photo.file, photo.split)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)
                yield photo

        written = form.WRITER.write(placed(), class_names, folder, losses)
        assert all(path.is_file() for path in written)
        source = find_source(folder)
        files = form.recognize(source)
        if not files:
            assert not photos
        labels = form.read(source, files, findings)
        outlines_read = [
            labels.outline(row) if labels.outline else None for row in range(len(labels.photo_of))
        ]
        assert all(labels.location(row).file for row in range(len(labels.photo_of)))
    labels.__dict__["outline"] = outlines_read.__getitem__
    return labels, losses, findings


def check_equal(form: ModuleType, photos: Sequence[PhotoToWrite], labels: Labels) -> None:
    """Everything that was written was read, up to the last digits of rotated shapes and circles."""
    by_file = {photo.file: index for index, photo in enumerate(labels.photos)}
    assert len(by_file) == len(photos)
    for photo in photos:
        index = by_file[form.WRITER.photo_file(photo.file, photo.split)]
        assert not labels.photos[index].missing_name
        assert (labels.photos[index].split or "") == photo.split
        assert labels.photos[index].declared_size in (None, photo.size)
        assert dict(labels.attributes.photos.get(index, {})) == dict(photo.attributes)
        rows = np.flatnonzero(labels.photo_of == index).tolist()
        assert len(rows) == len(photo.objects)
        for row, labeled in zip(rows, photo.objects, strict=True):
            check_object(labels, row, labeled)


def check_object(labels: Labels, row: int, labeled: ObjectToWrite) -> None:
    assert labels.class_names[labels.labels[row]] == labeled.class_name
    assert (bool(labels.crowd[row]), bool(labels.difficult[row])) == (labeled.crowd, labeled.difficult)
    assert dict(labels.attributes.objects.get(row, {})) == dict(labeled.attributes)
    assert labels.outline is not None
    outline = labels.outline(row)
    if labeled.outline is None:
        assert tuple(labels.boxes[row].tolist()) == labeled.box
    else:
        assert np.isnan(labels.boxes[row]).all()
    assert_same_outline(outline, labeled.outline)


def assert_same_outline(found: Outline | None, expected: Outline | None) -> None:
    match expected:
        case None:
            assert found is None
        case Polygons(parts, holes):
            assert isinstance(found, Polygons)
            for old, new in zip((*parts, *holes), (*found.parts, *found.holes), strict=True):
                assert np.array_equal(old, new)
        case Ellipse(center, radii, rotation) | RotatedBox(center, radii, rotation):
            assert type(found) is type(expected)
            values = [*found.center, *(found.radii if isinstance(found, Ellipse) else found.size)]
            assert values == pytest.approx([*center, *radii], abs=1e-9)
            if isinstance(expected, RotatedBox) or radii[0] != radii[1]:
                assert abs((found.rotation - rotation + 180) % 360 - 180) < 1e-6
        case RunLengths(counts, size):
            assert isinstance(found, RunLengths)
            assert np.array_equal(fill(found, size, size), counts)


@pytest.fixture(scope="session")
def round_trip() -> Callable[..., tuple[Labels, Losses, Findings]]:
    """Writes and reads with the package of a format; compares, unless told otherwise."""

    def run(
        form: Any, photos: Sequence[PhotoToWrite], class_names: ClassNames, *, compare: bool = True
    ) -> Any:
        labels, losses, findings = write_and_read(form, photos, class_names)
        if compare:
            check_equal(form, photos, labels)
        return labels, losses, findings

    return run


@pytest.fixture(name="photos_to_write", scope="session")
def _photos_to_write() -> Callable[..., st.SearchStrategy[tuple[list[PhotoToWrite], ClassNames]]]:
    return photos_to_write
