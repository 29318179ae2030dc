import numpy as np
import pytest

from boxmask.data.outlines import Ellipse, Polygons, RotatedBox, RunLengths, WrongSizeError, fill
from boxmask.geometry import rle

SQUARE = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])
HOLE = np.array([[4.0, 4], [8, 4], [8, 8], [4, 8]])


def area(runs: np.ndarray) -> int:
    return int(runs[1::2].sum())


def test_polygons_are_united_and_holes_cut_out() -> None:
    assert area(fill(Polygons((SQUARE,)), (20, 20), (20, 20))) == 100
    assert area(fill(Polygons((SQUARE, SQUARE + 5)), (20, 20), (20, 20))) == 175
    pixels = rle.decode([fill(Polygons((SQUARE,), (HOLE,)), (20, 20), (20, 20)).astype(np.int64)], (20, 20))
    expected = np.zeros((20, 20), dtype=bool)
    expected[2:12, 2:12] = True
    expected[4:8, 4:8] = False
    assert (pixels.dense()[0] == expected).all()


def test_outlines_are_scaled_with_a_resized_photo() -> None:
    assert area(fill(Polygons((SQUARE,)), (40, 20), (20, 20))) == 200
    circle = fill(Ellipse((10, 10), (8, 8)), (40, 40), (20, 20))
    assert area(circle) == pytest.approx(np.pi * 16**2, rel=0.02)


def test_bounds_of_rotated_shapes() -> None:
    assert RotatedBox((20, 30), (10, 4), 90).bounds() == pytest.approx([18, 25, 22, 35])
    assert Ellipse((20, 30), (10, 4), 90).bounds() == pytest.approx([16, 20, 24, 40])
    corner = RotatedBox((0, 0), (2, 2), 30).polygons().parts[0][1]  # the upper right one
    assert corner == pytest.approx([np.cos(np.radians(-15)) * 2**0.5, np.sin(np.radians(-15)) * 2**0.5])


def test_a_rotated_shape_that_is_stretched_becomes_a_polygon() -> None:
    stretched = RotatedBox((10, 10), (4, 4), 45).scale((2, 1))
    assert isinstance(stretched, Polygons)
    half = 4 / 2**0.5
    assert stretched.bounds() == pytest.approx([20 - 2 * half, 10 - half, 20 + 2 * half, 10 + half])
    assert RotatedBox((10, 10), (4, 4), 45).scale((2, 2)) == RotatedBox((20, 20), (8, 8), 45)


def test_run_lengths_must_have_the_size_that_the_labels_are_written_for() -> None:
    runs = RunLengths(np.array([0, 4, 12]), (4, 4))
    assert fill(runs, (4, 4), (4, 4)).tolist() == [0, 4, 12]
    assert area(fill(runs, (8, 8), (4, 4))) == 16
    with pytest.raises(WrongSizeError, match="cover 4 × 4 pixels, its photo is 8 × 8"):
        fill(runs, (8, 8), (8, 8))
