import numpy as np
import pytest

from boxmask.visualization.contact_sheet import contact_sheet


def test_sheet_has_every_picture_in_a_grid():
    pictures = [np.full((h, 40, 3), shade, np.uint8) for h, shade in ((20, 10), (40, 60), (300, 110))]
    sheet = contact_sheet(pictures, columns=2, width=200, captions=["a", "b", "a long path " * 20])
    assert sheet.shape[1] == 200
    for shade in (10, 60, 110):
        assert (sheet == shade).all(axis=-1).any()
    left, right = sheet[:, :100], sheet[:, 100:]
    assert (left == 10).all(axis=-1).any()
    assert not (right == 10).all(axis=-1).any()
    assert (right == 60).all(axis=-1).any()
    with pytest.raises(ValueError, match="found 3 pictures and 1 captions"):
        contact_sheet(pictures, captions=["only one"])
    with pytest.raises(ValueError, match="found 0 pictures"):
        contact_sheet([])
