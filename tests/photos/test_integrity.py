"""Truncated photos are found from the end of their file, and damaged ones by decoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from boxmask.errors import PhotoError
from boxmask.photos.integrity import check_intact, check_not_cut_off
from boxmask.photos.read import load_photo

FORMATS = ["jpg", "png", "webp", "gif", "bmp", "tif", "ppm", "avif", "heic", "mpo"]


def saved(path: Path) -> Path:
    """Save noise in the format of the file's ending."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    if path.suffix == ".heic":
        pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif encodes the photo of this test")
        pillow_heif.from_pillow(image).save(path)
    elif path.suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    else:
        image.save(path)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("decode", [False, True])
def test_intact_photos(tmp_path: Path, suffix: str, decode: bool) -> None:
    check_intact(saved(tmp_path / f"photo.{suffix}"), decode=decode)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.4, 0.67, 0.95])
def test_truncated_photos(tmp_path: Path, suffix: str, share: float) -> None:
    path = saved(tmp_path / f"photo.{suffix}")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(PhotoError, match=rf"photo\.{suffix}"):
        check_intact(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_an_intact_photo_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    decoded: list[Path] = []
    monkeypatch.setattr("boxmask.photos.integrity.load_photo", decoded.append)
    path = saved(tmp_path / f"photo.{suffix}")
    check_intact(path)
    assert decoded == []
    check_intact(path, decode=True)
    assert decoded == [path]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif"])
def test_bytes_after_the_end_do_no_harm(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"photo.{suffix}")
    path.write_bytes(path.read_bytes() + b"\0" * 100)
    check_intact(path)


def test_a_png_that_is_damaged_in_the_middle_is_found_by_its_checksums(tmp_path: Path) -> None:
    path = saved(tmp_path / "photo.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=r"photo\.png: this photo is damaged"):
        check_intact(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"text", b"\xff\xd8\xff\xd9"])
def test_files_that_are_no_photos(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(PhotoError, match=r"photo\.jpg"):
        check_intact(tmp_path / "photo.jpg")


@given(suffix=st.sampled_from(["jpg", "png", "webp", "gif", "bmp", "ppm"]), share=st.floats(0, 0.999))
@settings(max_examples=150, deadline=None)
def test_what_passes_can_be_decoded_and_what_decodes_passes(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, share: float
) -> None:
    path = saved(tmp_path_factory.mktemp("cut") / f"photo.{suffix}")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert can(check_intact, path) == can(load_photo, path)


def can(read: object, path: Path) -> bool:
    assert callable(read)
    try:
        read(path)
    except PhotoError:
        return False
    return True


def test_a_jpeg_whose_end_is_filled_with_zeros_is_truncated(tmp_path: Path) -> None:
    """Interrupted downloads have their full length. Pillow decodes some of them without an error."""
    path = saved(tmp_path / "photo.jpg")
    whole = path.read_bytes()
    check_not_cut_off(path)
    path.write_bytes(whole + bytes(2000))  # complete, with padding
    check_not_cut_off(path)
    path.write_bytes(whole[: len(whole) // 2] + bytes(2000))
    with pytest.raises(PhotoError, match=r"photo\.jpg: this photo is truncated: its end is missing"):
        check_not_cut_off(path)
    with pytest.raises(PhotoError):
        check_intact(path)
