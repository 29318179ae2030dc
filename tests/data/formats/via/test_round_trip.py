"""What the writers of VIA wrote is read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxmask.data.formats import via
from boxmask.data.formats.contract import ClassNames, ObjectToWrite, PhotoToWrite
from boxmask.data.outlines import Polygons, RotatedBox, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks

VIA_CSV = SimpleNamespace(**{**vars(via), "WRITER": via.CSV_WRITER})

values = st.one_of(st.booleans(), st.integers(-5, 5), st.text(max_size=4), st.floats(-1, 1))
attributes = st.one_of(
    st.just({}),
    st.dictionaries(st.sampled_from(["occluded", "color", "name", "label", "z_order"]), values, max_size=3),
)
photo_attributes = st.dictionaries(st.sampled_from(["night", "caption"]), values)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data(), st.sampled_from([via, VIA_CSV]))
def test_what_was_written_is_read(
    round_trip: Any, photos_to_write: Callable[..., Any], data: Any, form: Any
) -> None:
    photos, class_names = data.draw(
        photos_to_write(["polygon", "circle", "ellipse"], attributes, photo_attributes)
    )
    labels, losses, findings = round_trip(form, photos, class_names)
    used = {labeled.class_name for photo in photos for labeled in photo.objects}
    assert labels.class_names == (tuple(class_names) if form is via else tuple(sorted(used)))
    unused = [name for name in class_names if name not in used] if form is not via else []
    loss = f"classes without objects are not named in the labels: {', '.join(unused)}"
    assert [what for what, _ in losses] == ([loss] if unused else [])
    assert not findings.kinds


def photo(*objects: ObjectToWrite, **options: Any) -> PhotoToWrite:
    return PhotoToWrite(Path("a.jpg"), "a.jpg", (30, 40), "", objects, **options)


SQUARE = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])
DENSE = np.zeros((1, 30, 40), dtype=bool)
DENSE[0, 3:9, 5:20] = True
MASK = RunLengths(rle.encode(Masks.from_dense(DENSE))[0], (30, 40))


@pytest.mark.parametrize(
    ("outline", "loss"),
    [
        (MASK, "masks are written as polygons along the edges of their pixels"),
        (Polygons((SQUARE,), (SQUARE / 2 + 4,)), "holes in outlines are joined to their edge by thin lines"),
        (Polygons((SQUARE, SQUARE + 15)), "outlines of several parts are joined by thin lines"),
        (RotatedBox((10, 10), (6, 4), 30), "rotated boxes are written as polygons"),
    ],
)
def test_other_outlines_become_polygons_of_the_same_pixels(round_trip: Any, outline: Any, loss: str) -> None:
    pixels = fill(outline, (30, 40), (30, 40))
    bounds = rle.decode([pixels.astype(np.int64)], (30, 40)).boxes()[0]
    labeled = ObjectToWrite("a", tuple(bounds.tolist()), outline)
    labels, losses, _ = round_trip(via, [photo(labeled)], ClassNames("a"), compare=False)
    assert np.array_equal(fill(labels.outline(0), (30, 40), (30, 40)), pixels)
    assert [what for what, _ in losses] == [loss]


def test_attributes_that_via_does_not_hold(round_trip: Any) -> None:
    labeled = ObjectToWrite("a", (1, 1, 5, 5), attributes={"class": "x", "list": [1], "number": float("nan")})
    labels, losses, _ = round_trip(
        via, [photo(labeled, attributes={"none": None})], ClassNames("a"), compare=False
    )
    assert labels.attributes.objects == {}
    assert [what for what, _ in losses] == [
        "the attribute class of objects is not written",
        "the attribute list of objects is not written",
        "the attribute number of objects is not written",
        "the attribute none of photos is not written",
    ]
