from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.errors import OutputError, UsageError
from boxmask.results.pictures import save_picture


@pytest.fixture
def picture():
    y, x = np.mgrid[0:40, 0:60].astype(np.uint8)
    return np.stack([x * 4, y * 6, x + y], axis=-1)


def test_png_is_exact_and_jpeg_is_close(picture, tmp_path):
    save_picture(picture, tmp_path / "deep" / "one.png")
    assert np.array_equal(np.array(Image.open(tmp_path / "deep" / "one.png")), picture)
    save_picture(picture, tmp_path / "one.JPG")
    again = np.array(Image.open(tmp_path / "one.JPG")).astype(int)
    assert np.abs(again - picture).mean() < 2


def test_other_suffixes_are_refused_before_anything_is_written(picture, tmp_path):
    with pytest.raises(UsageError, match=r'one\.xyz.*".xyz".*\.png'):
        save_picture(picture, tmp_path / "sub" / "one.xyz")
    assert list(tmp_path.iterdir()) == []


def test_file_has_the_usual_permissions(picture, tmp_path):
    (tmp_path / "plain").write_text("")
    save_picture(picture, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("shape", [(20, 65_501, 3), (65_501, 20, 3)])
def test_a_picture_too_large_for_jpeg_is_an_error_that_says_so(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    picture = np.zeros(shape, np.uint8)
    with pytest.raises(OutputError, match=r"a\.jpg: a JPEG file has at most 65,500 pixels per side.*PNG"):
        save_picture(picture, tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())
    save_picture(picture, tmp_path / "a.png")
