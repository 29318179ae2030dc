"""Outlines that cross themselves, reach beyond their photo of 400 × 300 pixels, or lost a hole."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.outlines import check_outlines
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox, RunLengths, fill

Make = Callable[..., Examination]
Find = Callable[..., list[Finding]]
Points = Sequence[tuple[float, float]]

SQUARE = [(100.0, 100.0), (200.0, 100.0), (200.0, 200.0), (100.0, 200.0)]
INNER = [(120.0, 120.0), (150.0, 120.0), (150.0, 150.0), (120.0, 150.0)]
BOWTIE = [(100.0, 100.0), (200.0, 200.0), (200.0, 100.0), (100.0, 200.0)]
PENTAGRAM = [(150 + 50 * np.sin(4 * np.pi * n / 5), 150 - 50 * np.cos(4 * np.pi * n / 5)) for n in range(5)]
BRIDGE = [*SQUARE, SQUARE[0], *INNER, INNER[0]]  # how COCO's tools write a hole
TOUCHING = [(100.0, 100.0), (150.0, 150.0), (200.0, 100.0), (200.0, 200.0), (150.0, 150.0), (100.0, 200.0)]
SPIKE = [*SQUARE[:2], (250.0, 100.0), *SQUARE[1:]]


def polygons(*parts: Points, holes: Sequence[Points] = ()) -> Polygons:
    return Polygons(tuple(map(array, parts)), tuple(map(array, holes)))


def array(points: Points) -> NDArray[np.float64]:
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def found_in(examination_of: Make, found_by: Find, outline: Outline) -> list[Finding]:
    """Findings on the second of three objects; the others are sound."""
    objects = [(0, "cat", (100.0, 100, 200, 200))] * 3
    outlines = {0: polygons(SQUARE), 1: outline, 2: Ellipse((50, 50), (20, 10))}
    found = found_by(check_outlines, examination_of(objects, outlines=outlines))
    assert all(finding.location.line == 2 for finding in found)
    return found


# ---------------------------------------------------------------- crossings


@pytest.mark.parametrize("points", [BOWTIE, PENTAGRAM, [*SQUARE[:3], (150.0, 50.0)]])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_edges_that_cross(examination_of: Make, found_by: Find, points: Points, is_reversed: bool) -> None:
    found = found_in(examination_of, found_by, polygons(points[::-1] if is_reversed else points))
    assert [finding.kind.id for finding in found] == ["outline-self-crossing"]


def test_the_place_of_a_crossing(examination_of: Make, found_by: Find) -> None:
    found = found_in(examination_of, found_by, polygons(BOWTIE))
    assert str(found[0]) == (
        "labels.csv:2: cat in 000.jpg has an outline that crosses itself at x 150.0, y 150.0"
    )


@pytest.mark.parametrize(
    "points",
    [
        SQUARE,
        [*SQUARE, SQUARE[0]],
        BRIDGE,
        [*SQUARE, SQUARE[0], *INNER[::-1], INNER[-1]],
        TOUCHING,
        SPIKE,
        SQUARE[:3],
        [*SQUARE, (100.0, 101.0), (99.9, 100.0), (100.5, 99.5)],  # a loop of less than a pixel
    ],
)
def test_polygons_that_only_touch_themselves(examination_of: Make, found_by: Find, points: Points) -> None:
    assert found_in(examination_of, found_by, polygons(points)) == []


def test_points_on_a_line_have_no_area(examination_of: Make, found_by: Find) -> None:
    """hotcoco's rasterizer fills some pixels along this line, as that of pycocotools does."""
    line = polygons([(93, 51), (93.5, 75), (94, 99)])
    assert fill(line, (300, 400), (300, 400))[1::2].sum() > 0
    (finding,) = found_in(examination_of, found_by, line)
    assert finding.kind.id == "outline-empty"
    assert finding.detail == "cat in 000.jpg has an outline whose points lie on a line"


def test_a_thin_outline_is_none_on_a_line(examination_of: Make, found_by: Find) -> None:
    assert found_in(examination_of, found_by, polygons([(20, 20), (300, 220), (20, 20.5)])) == []


def test_holes_and_other_parts_are_checked_and_an_object_is_reported_once(
    examination_of: Make, found_by: Find
) -> None:
    aside = [(x + 150, y + 50) for x, y in BOWTIE]
    for outline in (polygons(SQUARE, aside), polygons(SQUARE, holes=[BOWTIE]), polygons(BOWTIE, aside)):
        found = found_in(examination_of, found_by, outline)
        assert [finding.kind.id for finding in found] == ["outline-self-crossing"]


def test_other_outlines_do_not_cross(examination_of: Make, found_by: Find) -> None:
    runs = RunLengths(np.array([10, 20, 400 * 300 - 30], dtype=np.int32), (300, 400))
    for outline in (RotatedBox((150, 150), (80, 40), 30), Ellipse((150, 150), (80, 40), 30), runs):
        assert found_in(examination_of, found_by, outline) == []


def test_outlines_that_cannot_be_read_are_left_to_others(examination_of: Make) -> None:
    examination = examination_of([(0, "cat", (1.0, 1, 9, 9))] * 2, outlines={1: polygons(SQUARE)})

    def outline(row: int) -> Outline | None:
        if row == 0:
            raise ValueError("expected points")
        return polygons(BOWTIE)

    object.__setattr__(examination.labels, "outline", outline)
    findings = Findings()
    check_outlines(examination, findings)
    assert [finding.location.line for finding in findings] == [2]


def test_data_sets_without_outlines_have_no_findings(examination_of: Make, found_by: Find) -> None:
    assert found_by(check_outlines, examination_of([(0, "cat", (1.0, 1, 9, 9))])) == []


def test_polygons_of_very_many_points_take_bounded_time(examination_of: Make) -> None:
    rng = np.random.default_rng(0)
    chaos = [array(rng.uniform(0, 300, (count, 2))) for count in (1900, 200_000)]
    examination = examination_of([(0, "cat", (1.0, 1, 9, 9))] * 2, outlines={0: polygons(SQUARE)})
    object.__setattr__(examination.labels, "outline", lambda row: Polygons((chaos[row], chaos[row][:9])))
    start = time.perf_counter()
    check_outlines(examination, Findings())
    assert time.perf_counter() - start < 10


coordinates = st.floats(0, 300, allow_subnormal=False)


@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8))
def test_valid_polygons_never_cross(examination_of: Make, points: list[tuple[float, float]]) -> None:
    import shapely

    findings = Findings()
    examination = examination_of([(0, "cat", (1.0, 1, 9, 9))], outlines={0: polygons(points)})
    check_outlines(examination, findings)
    if shapely.Polygon(points).is_valid:
        assert len(findings) == 0


@given(st.lists(st.floats(10, 100), min_size=5, max_size=20), st.data())
def test_two_exchanged_points_of_a_star_shape_cross(
    examination_of: Make, radii: list[float], data: st.DataObject
) -> None:
    angles = np.arange(len(radii)) * 2 * np.pi / len(radii)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.array(radii)[:, None] + 150
    first = data.draw(st.integers(0, len(radii) - 2))
    points[[first, first + 1]] = points[[first + 1, first]]
    findings = Findings()
    examination = examination_of([(0, "cat", (1.0, 1, 9, 9))], outlines={0: Polygons((points,))})
    check_outlines(examination, findings)
    assert len(findings) <= 1
    if min(radii) > 0.8 * max(radii) and len(radii) >= 6:
        assert len(findings) == 1


# ---------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        ((-99, 0), None),
        ((-101, 0), None),  # tools that count from 1
        ((-101.5, 0), "has an outline 1.5 pixels beyond the photo"),
        ((0, -130), "30 pixels beyond"),
        ((210, 0), "10 pixels beyond"),
        ((0, 200), "outside its photo"),
        ((-250, 0), "outside its photo"),
    ],
)
def test_outlines_beyond_the_photo(
    examination_of: Make, found_by: Find, offset: tuple[float, float], words: str | None
) -> None:
    moved = [(x + offset[0], y + offset[1]) for x, y in SQUARE]
    found = found_in(examination_of, found_by, polygons(moved, INNER))
    places = [finding for finding in found if finding.kind.id == "outline-outside"]
    assert len(places) == bool(words)
    if words and "outside" not in words:
        assert words in places[0].detail


def test_an_outline_completely_outside(examination_of: Make, found_by: Find) -> None:
    found = found_in(examination_of, found_by, polygons([(x + 400, y) for x, y in SQUARE]))
    assert [finding.detail for finding in found] == ["cat in 000.jpg has an outline outside its photo"]


def test_places_tell_nothing_if_all_coordinates_are_wrong(examination_of: Make) -> None:
    findings = Findings()
    findings.add(Finding(Kind("coordinates-scaled", "error", "", ""), Location("labels.csv")))
    outlines = {0: polygons([(x + 400, y) for x, y in SQUARE])}
    check_outlines(examination_of([(0, "cat", (1.0, 1, 9, 9))], outlines=outlines), findings)
    assert len(findings) == 1


# ---------------------------------------------------------------- holes


def test_a_part_inside_a_part(examination_of: Make, found_by: Find) -> None:
    for parts in ((SQUARE, INNER), (INNER, SQUARE), (SQUARE, INNER[::-1])):
        found = found_in(examination_of, found_by, polygons(*parts))
        assert [finding.kind.id for finding in found] == ["hole-lost"]
        assert "a part of 900 pixels inside another part" in found[0].detail


@pytest.mark.parametrize(
    "outline",
    [
        polygons(SQUARE, [(x + 60, y) for x, y in INNER]),  # reaches out of the square
        polygons(SQUARE, [(x + 150, y) for x, y in INNER]),  # beside it
        polygons(SQUARE, SQUARE),  # a copy
        polygons(SQUARE, [(120.0, 120.0), (121.0, 120.0), (121.0, 122.0)]),  # a slip of the hand
        polygons(SQUARE, holes=[INNER]),
        polygons(SQUARE, [(x / 2 + 65, y / 2 + 65) for x, y in INNER], holes=[INNER]),  # an island
        polygons([(100.0, 100.0), (200.0, 100.0), (200.0, 101.0), (101.0, 101.0), (101.0, 200.0)], INNER),
    ],
)
def test_parts_that_are_no_holes(examination_of: Make, found_by: Find, outline: Polygons) -> None:
    assert found_in(examination_of, found_by, outline) == []


def test_objects_of_very_many_parts_are_left_alone(examination_of: Make, found_by: Find) -> None:
    parts = [[(x + n, y) for x, y in SQUARE] for n in range(100)]
    assert found_in(examination_of, found_by, polygons(*parts, INNER)) == []
