"""Each kind of bad photo is found among good ones, and good ones are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageEnhance, ImageFilter

from boxmask.data.findings import Findings
from boxmask.data.photo_records.examine import examine_photos
from boxmask.doctor.photos.check import check_photo_records

Scene = Callable[..., Image.Image]


def found(folder: Path) -> dict[str, list[str]]:
    """The photos of each kind of finding."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.*"))
    findings = Findings()
    records = examine_photos(folder, files)
    check_photo_records(records, np.full(len(files), "", dtype="<U5"), findings)
    return {kind.id: [finding.photo for finding in findings.of(kind)] for kind in findings.kinds}


@pytest.fixture
def folder(tmp_path: Path, scene: Scene) -> Path:
    """Twelve good photos."""
    for number in range(12):
        scene(number, (240, 180)).save(tmp_path / f"good{number:02}.jpg", quality=92)
    return tmp_path


def test_good_photos_have_no_findings(folder: Path) -> None:
    assert found(folder) == {}


BAD: dict[str, Callable[[Image.Image], Image.Image]] = {
    "photo-dark": lambda photo: ImageEnhance.Brightness(photo).enhance(0.15),
    "photo-light": lambda photo: Image.blend(photo, Image.new("RGB", photo.size, "white"), 0.9),
    "photo-blurred": lambda photo: photo.filter(ImageFilter.GaussianBlur(5)),
    "photo-blank": lambda photo: Image.new("RGB", photo.size, (90, 120, 130)),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_photos_that_show_little(folder: Path, scene: Scene, kind: str, suffix: str) -> None:
    BAD[kind](scene(50, (240, 180))).save(folder / f"bad.{suffix}")
    assert found(folder) == {kind: [f"bad.{suffix}"]}


def test_a_blank_photo_may_be_noisy_white_or_black(folder: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 4, (180, 240, 3))
    Image.fromarray((100 + noise).astype(np.uint8)).save(folder / "noisy.png")
    Image.new("L", (240, 180), 255).save(folder / "white.png")
    Image.new("RGB", (240, 180)).save(folder / "black.png")
    assert found(folder)["photo-blank"] == ["black.png", "noisy.png", "white.png"]


@pytest.mark.parametrize("kind", ["photo-dark", "photo-light", "photo-blurred"])
def test_a_set_that_looks_so_is_not_reported_photo_by_photo(tmp_path: Path, scene: Scene, kind: str) -> None:
    for number in range(12):
        BAD[kind](scene(number, (240, 180))).save(tmp_path / f"{number:02}.png")
    assert kind not in found(tmp_path)


def test_microscope_photos_are_dark_as_a_set(shared_data: Path) -> None:
    assert found(shared_data / "dsb2018" / "images") == {}


def test_an_object_in_focus_is_enough(folder: Path, scene: Scene) -> None:
    photo = scene(50, (240, 180))
    sharp = photo.crop((100, 80, 130, 110))
    photo = photo.filter(ImageFilter.GaussianBlur(5))
    photo.paste(sharp, (100, 80))
    photo.save(folder / "portrait.png")
    assert found(folder) == {}


def test_odd_sizes_and_shapes(folder: Path, scene: Scene) -> None:
    scene(50, (40, 30)).save(folder / "thumbnail.jpg")
    scene(51, (1200, 900)).save(folder / "large.jpg")
    scene(52, (600, 100)).save(folder / "panorama.jpg")
    scene(53, (320, 240)).save(folder / "usual.jpg")
    assert found(folder) == {"photo-odd-size": ["large.jpg", "panorama.jpg", "thumbnail.jpg"]}


def test_files_that_cannot_be_read(folder: Path) -> None:
    whole = (folder / "good00.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no photo")
    assert found(folder) == {
        "photo-unreadable": ["empty.jpg", "text.png"],
        "photo-truncated": ["cut.jpg"],
    }


def test_wrong_suffixes(folder: Path, scene: Scene) -> None:
    scene(50, (240, 180)).save(folder / "a.png", format="JPEG")
    scene(51, (240, 180)).save(folder / "b.jpeg", format="PNG")
    scene(52, (240, 180)).save(folder / "c.JPG", format="JPEG")
    scene(53, (240, 180)).save(folder / "d.tiff", format="TIFF")
    assert found(folder) == {"photo-wrong-suffix": ["a.png", "b.jpeg"]}


def test_odd_modes(folder: Path, scene: Scene) -> None:
    photo = scene(50, (240, 180))
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo = scene(51, (240, 180)).convert("RGBA")
    photo.putalpha(128)
    photo.save(folder / "alpha.png")
    scene(52, (240, 180)).convert("P").save(folder / "palette.png")
    scene(53, (240, 180)).convert("L").save(folder / "gray.png")
    deep = np.asarray(scene(54, (240, 180)).convert("L")).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / "sixteen.png")
    expected = ["alpha.png", "cmyk.jpg", "gray.png", "palette.png", "sixteen.png"]
    assert found(folder) == {"photo-odd-mode": expected}


def test_a_mode_of_most_photos_is_one_finding(tmp_path: Path, scene: Scene) -> None:
    for number in range(6):
        scene(number).convert("P").save(tmp_path / f"{number}.png")
    scene(9).save(tmp_path / "color.png")
    assert found(tmp_path) == {"photo-odd-mode": [""]}


def test_gray_photos_among_gray_ones_are_usual(tmp_path: Path, scene: Scene) -> None:
    for number in range(6):
        scene(number).convert("L").save(tmp_path / f"{number}.png")
    scene(9).save(tmp_path / "color.png")
    assert found(tmp_path) == {}


def test_photos_stored_rotated(folder: Path, scene: Scene) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    scene(50, (240, 180)).save(folder / "phone.jpg", exif=exif)
    assert found(folder) == {"exif-rotated": ["phone.jpg"]}
