"""What the writer of LabelMe wrote is read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxmask.data.formats import labelme
from boxmask.data.formats.contract import ClassNames, ObjectToWrite, PhotoToWrite
from boxmask.data.outlines import Ellipse, Polygons

values = st.one_of(st.booleans(), st.integers(-5, 5), st.text(max_size=4), st.none(), st.lists(st.integers()))
attribute_names = st.sampled_from(["occluded", "truncated", "color", "label", "points", "flags", "z_order"])
attributes = st.one_of(
    st.just({}),
    st.dictionaries(attribute_names, values, max_size=3),
    st.fixed_dictionaries({"description": st.text(min_size=1, max_size=5), "score": st.floats(0, 1)}),
)
photo_attributes = st.dictionaries(
    st.sampled_from(["night", "weather", "description"]), values.filter(lambda value: value is not None)
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_what_was_written_is_read(round_trip: Any, photos_to_write: Callable[..., Any], data: Any) -> None:
    kinds = ["polygon", "parts", "mask", "circle", "rotated"]
    photos, class_names = data.draw(photos_to_write(kinds, attributes, photo_attributes))
    labels, losses, findings = round_trip(labelme, photos, class_names)
    assert labels.class_names == tuple(class_names)
    assert not list(losses)
    assert not findings.kinds


def photo(*objects: ObjectToWrite, file: str = "a.jpg") -> PhotoToWrite:
    return PhotoToWrite(Path(file), file, (30, 40), "", objects)


SQUARE = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])


def test_holes_become_a_mask_and_ellipses_polygons(round_trip: Any) -> None:
    holes = ObjectToWrite("a", (2, 2, 12, 12), Polygons((SQUARE,), (SQUARE / 2 + 4,)))
    ellipse = ObjectToWrite("a", (5, 8, 15, 12), Ellipse((10, 10), (5, 2)))
    labels, losses, _ = round_trip(labelme, [photo(holes, ellipse)], ClassNames("a"), compare=False)
    assert labels.outline(0).counts[1::2].sum() == 75
    assert len(labels.outline(1).parts[0]) == 64
    assert [what for what, _ in losses] == [
        "outlines with holes are written as masks of their pixels, without their points",
        "ellipses are written as polygons",
    ]


def test_group_ids_are_kept_unless_they_would_join_objects(round_trip: Any) -> None:
    def member(name: str, group: int) -> ObjectToWrite:
        return ObjectToWrite(name, (1, 1, 5, 5), attributes={"group": group})

    groups = [member("a", 7), member("b", 7), member("b", 1)]
    labels, losses, _ = round_trip(labelme, [photo(*groups)], ClassNames("ab"))
    assert not list(losses)
    labels, losses, _ = round_trip(labelme, [photo(*groups, member("b", 7))], ClassNames("ab"), compare=False)
    assert len(labels.photo_of) == 4
    ((what, files),) = losses
    assert what == "group ids that several objects of one class share are not written"
    assert files == ["a.jpg", "a.jpg"]


def test_photos_of_one_name_and_two_formats(round_trip: Any) -> None:
    box = ObjectToWrite("a", (1, 1, 5, 5))
    photos = [photo(box, file="a.jpg"), photo(file="a.png"), photo(box, box, file="A.bmp")]
    labels, _, findings = round_trip(labelme, photos, ClassNames("a"))
    assert not findings.kinds
    assert np.bincount(labels.photo_of, minlength=3).sum() == 3


def test_other_boxes_and_class_attributes_are_lost(round_trip: Any) -> None:
    labeled = ObjectToWrite("a", (2, 2, 20, 12), Polygons((SQUARE,)))
    names = ClassNames.of(["a"], {"a": {"supercategory": "b"}})
    _, losses, _ = round_trip(labelme, [photo(labeled)], names)
    assert [what for what, _ in losses] == [
        "the attribute supercategory of classes is not written",
        "boxes that differ from their outlines by over a pixel are not written",
    ]
