"""One pass records what each photo is; damaged ones are recorded, not raised."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageEnhance, ImageFilter

from boxmask.data.photo_records.examine import examine_photos
from boxmask.data.photo_records.records import DAMAGED, MISSING, NO_CAMERA, READABLE, UNREADABLE, PhotoRecords
from boxmask.photos.read import load_photo

Scene = Callable[..., Image.Image]


def examine(folder: Path) -> PhotoRecords:
    return examine_photos(folder, sorted(file.name for file in folder.iterdir()))


def exif(orientation: int = 1, time: str = "", fraction: str = "", model: str = "") -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.Model] = model
    details = tags.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = time
    details[ExifTags.Base.SubsecTimeOriginal] = fraction
    return tags


def test_format_mode_size_and_progress(tmp_path: Path, scene: Scene) -> None:
    scene(0).save(tmp_path / "a.jpg")
    scene(1, (60, 90)).convert("L").save(tmp_path / "b.png")
    scene(2).convert("CMYK").save(tmp_path / "c.jpg")
    scene(3).convert("RGBA").save(tmp_path / "d.png")
    calls: list[tuple[int, int]] = []
    records = examine_photos(
        tmp_path, ["a.jpg", "b.png", "c.jpg", "d.png"], lambda done, total: calls.append((done, total))
    )
    assert records.states.tolist() == [READABLE] * 4
    assert records.errors == {}
    assert records.formats.tolist() == ["JPEG", "PNG", "JPEG", "PNG"]
    assert records.modes.tolist() == ["RGB", "L", "CMYK", "RGBA"]
    assert records.transparent.tolist() == [False, False, False, True]
    assert records.sizes.tolist() == [[120, 160], [90, 60], [120, 160], [120, 160]]
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_order_is_that_of_the_files_over_several_blocks(tmp_path: Path) -> None:
    for number in range(1, 300):
        Image.new("L", (number, 1)).save(tmp_path / f"{number:03}.bmp")
    assert examine(tmp_path).sizes[:, 1].tolist() == list(range(1, 300))


def test_no_photos(tmp_path: Path) -> None:
    assert len(examine_photos(tmp_path, [])) == 0


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif"])
def test_a_truncated_photo_is_damaged(tmp_path: Path, scene: Scene, suffix: str) -> None:
    scene(0).save(tmp_path / f"a.{suffix}")
    whole = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(whole[: len(whole) * 2 // 3])
    records = examine(tmp_path)
    assert records.states[0] in (DAMAGED, UNREADABLE)
    assert "this photo is damaged or truncated" in records.errors[0]
    assert str(tmp_path) not in records.errors[0]


def test_a_jpeg_whose_end_is_zeros_is_damaged(tmp_path: Path, scene: Scene) -> None:
    scene(0, (640, 480)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    half = len(whole) // 2
    (tmp_path / "a.jpg").write_bytes(whole[:half] + bytes(len(whole) - half))
    (tmp_path / "b.jpg").write_bytes(whole + bytes(4000))  # complete, with padding behind its end
    records = examine(tmp_path)
    assert records.states.tolist() == [DAMAGED, READABLE]


def test_files_that_are_no_photos(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello")
    records = examine_photos(tmp_path, ["empty.jpg", "gone.jpg", "text.jpg"])
    assert records.states.tolist() == [UNREADABLE, MISSING, UNREADABLE]
    assert records.errors[0].startswith("this file is empty")
    assert records.errors[1].startswith("this photo does not exist")
    assert records.digests.any(axis=1).tolist() == [True, False, True]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_sizes_and_thumbnails_are_those_of_the_photo_as_shown(
    tmp_path: Path, scene: Scene, orientation: int, suffix: str
) -> None:
    scene(0).save(tmp_path / f"a.{suffix}", exif=exif(orientation))
    records = examine(tmp_path)
    shown = load_photo(tmp_path / f"a.{suffix}")
    assert records.orientations[0] == orientation
    assert records.sizes[0].tolist() == list(shown.shape[:2])
    expected = np.asarray(Image.fromarray(shown).convert("L").resize((16, 16), Image.Resampling.BOX))
    assert np.abs(records.thumbnails[0].astype(int) - expected).max() <= 2


def test_capture_time_and_camera(tmp_path: Path, scene: Scene) -> None:
    scene(0).save(tmp_path / "a.jpg", exif=exif(time="2024:05:01 10:00:00", fraction="25", model="C1"))
    scene(1).save(tmp_path / "b.jpg", exif=exif(time="2024:05:01 10:00:02", model="C1"))
    scene(2).save(tmp_path / "c.jpg", exif=exif(time="0000:00:00 00:00:00", model="C2"))
    scene(3).save(tmp_path / "d.jpg")
    records = examine(tmp_path)
    assert records.captured[1] - records.captured[0] == 1.75
    assert [math.isnan(time) for time in records.captured.tolist()] == [False, False, True, True]
    assert records.cameras.tolist() == [0, 0, 1, NO_CAMERA]
    assert records.camera_names == ("C1", "C2")


def test_digests_are_equal_for_the_same_bytes_only(tmp_path: Path, scene: Scene) -> None:
    scene(0).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    scene(0).save(tmp_path / "c.png", compress_level=1)
    digests = examine(tmp_path).digests
    assert digests[0].tolist() == digests[1].tolist() != digests[2].tolist()


def test_sharpness_falls_with_blur_but_not_with_contrast(tmp_path: Path, scene: Scene) -> None:
    photo = scene(0, (240, 180))
    photo.save(tmp_path / "a.png")
    ImageEnhance.Contrast(photo).enhance(0.5).save(tmp_path / "b.png")
    photo.filter(ImageFilter.GaussianBlur(3)).save(tmp_path / "c.png")
    sharp, gray, blurred = examine(tmp_path).sharpness.tolist()
    assert gray == pytest.approx(sharp, rel=0.1)
    assert blurred < sharp / 3


def test_brightness_is_that_of_training(tmp_path: Path) -> None:
    """16-bit values keep their upper eight bits, and transparent pixels are white."""
    Image.fromarray(np.full((20, 20), 40 * 256 + 255, dtype=np.uint16)).save(tmp_path / "a.png")
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "b.png")
    Image.new("P", (20, 20)).save(tmp_path / "c.png")
    records = examine(tmp_path)
    assert records.brightness[:, 3].tolist() == [40, 255, 0]
    assert records.states.tolist() == [READABLE] * 3


def test_tiny_photos_have_records(tmp_path: Path) -> None:
    for size in ((1, 1), (1, 3000), (2, 2), (3000, 1)):
        Image.new("RGB", size, "red").save(tmp_path / f"{size[0]}x{size[1]}.png")
    assert examine(tmp_path).states.tolist() == [READABLE] * 4
