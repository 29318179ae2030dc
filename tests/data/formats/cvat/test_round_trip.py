"""What the writer of CVAT wrote is read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxmask.data.formats import cvat
from boxmask.data.formats.contract import ClassNames, ObjectToWrite, PhotoToWrite
from boxmask.data.outlines import Polygons
from boxmask.errors import LabelError

text = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff", min_codepoint=9), max_size=4
)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "occluded": st.just(True),
        "z_order": st.integers(-3, 3).filter(bool),
        "group": st.integers(1, 5),
        "source": st.just("auto"),
        "truncated": st.booleans(),
        "score": st.floats(0, 1),
        "color <>&\"'": text.filter(lambda value: not set(value) & set(map(chr, [11, 12, *range(14, 32)]))),
        "count": st.integers(-5, 5),
    },
)
photo_attributes = st.one_of(st.just({}), st.just({"tags": ["rain", "night & day"]}))


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_what_was_written_is_read(round_trip: Any, photos_to_write: Callable[..., Any], data: Any) -> None:
    kinds = ["polygon", "mask", "circle", "ellipse", "rotated"]
    photos, class_names = data.draw(photos_to_write(kinds, attributes, photo_attributes))
    labels, losses, findings = round_trip(cvat, photos, class_names)
    assert labels.class_names == tuple(class_names)
    assert not list(losses)
    assert not findings.kinds


def photo(*objects: ObjectToWrite, **options: Any) -> PhotoToWrite:
    return PhotoToWrite(Path("a.jpg"), "a.jpg", (30, 40), "", objects, **options)


SQUARE = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])


def test_holes_and_parts_become_masks(round_trip: Any) -> None:
    holes = ObjectToWrite("a", (2, 2, 12, 12), Polygons((SQUARE,), (SQUARE / 2 + 4,)))
    parts = ObjectToWrite("a", (2, 2, 27, 27), Polygons((SQUARE, SQUARE + 15)))
    labels, losses, _ = round_trip(cvat, [photo(holes, parts)], ClassNames("a"), compare=False)
    assert [labels.outline(row).counts[1::2].sum() for row in (0, 1)] == [75, 200]
    assert [what for what, _ in losses] == [
        "outlines with holes are written as masks of their pixels, without their points",
        "outlines of several parts are written as masks of their pixels, without their points",
    ]


def test_colors_of_classes_are_kept(round_trip: Any) -> None:
    names = ClassNames.of(["b", "a"], {"a": {"color": "#ff0000", "supercategory": "x"}})
    labels, losses, _ = round_trip(cvat, [photo()], names)
    assert labels.class_names == ("b", "a")
    assert labels.attributes.classes == {"a": {"color": "#ff0000"}}
    assert [what for what, _ in losses] == ["the attribute supercategory of classes is not written"]


def test_values_that_cvat_does_not_hold(round_trip: Any) -> None:
    first = ObjectToWrite("a", (1, 1, 5, 5), attributes={"kind": True, "list": [1], "bell": "\a"})
    second = ObjectToWrite("a", (1, 1, 5, 5), attributes={"kind": "x", "number": float("inf")})
    night = photo(first, second, attributes={"night": True})
    labels, losses, _ = round_trip(cvat, [night], ClassNames("a"), compare=False)
    assert labels.attributes.objects == {0: {"kind": "true"}, 1: {"kind": "x"}}
    assert [what for what, _ in losses] == [
        "the attribute list of objects is not written",
        "the attribute bell of objects is not written",
        "the attribute number of objects is not written",
        "the attribute night of photos is not written",
        "the attribute kind of objects is written as text, because some of its values are texts",
    ]


def test_values_of_common_fields(round_trip: Any) -> None:
    given = [{"occluded": 1}, {"occluded": False}, {"occluded": "partly"}, {"source": 3}, {"source": "auto"}]
    objects = [ObjectToWrite("a", (1, 1, 5, 5), attributes=attributes) for attributes in given]
    labels, losses, _ = round_trip(cvat, [photo(*objects)], ClassNames("a"), compare=False)
    assert labels.attributes.objects == {0: {"occluded": True}, 4: {"source": "auto"}}
    assert [what for what, _ in losses] == [
        "the attribute occluded of objects is not written if it is not true or false",
        "the attribute source of objects is not written if it is not a text",
    ]


def test_a_class_name_that_xml_cannot_hold_is_refused(round_trip: Any) -> None:
    with pytest.raises(LabelError, match=r"holds the character U\+0007, which XML cannot hold"):
        round_trip(cvat, [photo()], ClassNames(["a\a"]))
