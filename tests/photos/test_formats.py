"""Image files of any size, with any metadata, open without a warning, or end in an error that names them."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from boxmask.errors import PhotoError
from boxmask.photos import formats as photo_formats
from boxmask.photos.formats import MAX_PIXELS
from boxmask.photos.read import load_photo, open_image, to_image
from boxmask.photos.size import photo_size

FORMATS = ("jpeg", "png", "tiff", "webp", "gif", "bmp", "ppm")


@pytest.fixture(autouse=True)
def raise_warnings() -> Iterator[None]:
    """Fail on any warning of Pillow."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def gradient(width: int = 96, height: int = 64) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return pixels


def encoded(pixels: np.ndarray, suffix: str = "jpeg", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, suffix, **options)
    return stream.getvalue()


def png(width: int, height: int, depth: int, color_type: int, rows: bytes, interlaced: int = 0) -> bytes:
    """Return a PNG from filtered rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


# ---------------------------------------------------------------- size


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp"])
def test_pillows_limit_neither_applies_nor_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    Image.fromarray(gradient()).save(tmp_path / f"photo.{suffix}")
    expected = load_photo(tmp_path / f"photo.{suffix}")
    for limit in (4000, 10):  # the photo has 6,144 pixels: Pillow would warn, and refuse
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert photo_size(tmp_path / f"photo.{suffix}") == (64, 96)
        assert np.array_equal(load_photo(tmp_path / f"photo.{suffix}"), expected)
        assert limit == Image.MAX_IMAGE_PIXELS


def test_many_threads_read_beyond_pillows_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(gradient()).save(tmp_path / "photo.tif", compression="tiff_lzw")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with ThreadPoolExecutor(8) as pool:
        photos = list(pool.map(load_photo, [tmp_path / "photo.tif"] * 64))
    assert all(np.array_equal(photo, gradient()) for photo in photos)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "photo.tif")  # still protects the rest of the program


def test_a_photo_of_200_megapixels_opens(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes([value]) * 2048 for value in (0, 255) * 6144)
    (tmp_path / "photo.png").write_bytes(png(16384, 12288, 1, 0, rows))  # one bit per pixel
    assert photo_size(tmp_path / "photo.png") == (12288, 16384)
    with open_image(tmp_path / "photo.png") as image:
        assert image.size == (16384, 12288)


def test_large_photos_are_converted_in_strips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"rgb.png": gradient(), "gray.png": gradient()[..., 0], "alpha.png": np.dstack([gradient()] * 2)}
    files["alpha.png"] = files["alpha.png"][..., :4]
    for name, pixels in files.items():
        Image.fromarray(pixels).save(tmp_path / name)
    Image.fromarray(gradient()).quantize(16).save(tmp_path / "palette.png", transparency=3)
    for name in (*files, "palette.png"):
        expected = load_photo(tmp_path / name)
        with monkeypatch.context() as patch:
            patch.setattr("boxmask.photos.read._STRIP_PIXELS", 1000)
            assert np.array_equal(load_photo(tmp_path / name), expected)


def test_a_photo_beyond_the_limit_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(png(40_000, 30_000, 8, 2, b""))
    expected = r"photo\.png: this photo is too large \(40,000 × 30,000 pixels\): at most 537 million.*Scale"
    for read in (load_photo, photo_size, to_image):
        with pytest.raises(PhotoError, match=expected):
            read(path)
    assert 40_000 * 30_000 > MAX_PIXELS > 200_000_000


def test_a_format_that_checks_pillows_limit_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(gradient()).save(tmp_path / "photo.webp")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    try:
        assert load_photo(tmp_path / "photo.webp").shape == (64, 96, 3)  # older versions of Pillow
    except PhotoError as error:
        assert "too large" in str(error)  # noqa: PT017
        assert "convert it to JPEG or PNG" in str(error)  # noqa: PT017


def test_too_little_memory_is_not_a_damaged_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(gradient()).save(tmp_path / "photo.png")

    def fail(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    with pytest.raises(PhotoError, match=r"photo\.png: not enough memory to decode this photo\. Scale"):
        load_photo(tmp_path / "photo.png")


# ---------------------------------------------------------------- odd EXIF tags


def orientation_tag(kind: int, count: int, value: bytes) -> bytes:
    """Return EXIF data with one entry, the orientation, of any type."""
    entry = struct.pack("<HHHI", 1, 0x112, kind, count) + value
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + entry + struct.pack("<I", 0)


ODD_EXIF = {
    "orientation 0": orientation_tag(3, 1, b"\0\0\0\0"),
    "orientation 9": orientation_tag(3, 1, b"\x09\0\0\0"),
    "orientation 65535": orientation_tag(3, 1, b"\xff\xff\0\0"),
    "a text": orientation_tag(2, 2, b"6\0\0\0"),
    "not a number": orientation_tag(11, 1, struct.pack("<f", float("nan"))),
    "an unknown type": orientation_tag(99, 1, b"\x06\0\0\0"),
    "two values": orientation_tag(3, 2, b"\x06\0\x06\0"),
    "no value": orientation_tag(3, 0, b"\x06\0\0\0"),
    "2**31 values": orientation_tag(3, 2**31, b"\x06\0\0\0"),
    "a fraction beyond the end": orientation_tag(5, 1, struct.pack("<I", 4000)),
    "cut within the entry": orientation_tag(3, 1, b"\x06\0\0\0")[:18],
    "cut within the header": orientation_tag(3, 1, b"\x06\0\0\0")[:9],
    "only the signature": b"Exif\0\0",
    "a directory beyond the end": b"Exif\0\0II*\0" + struct.pack("<I", 2**31),
    "no TIFF header": b"Exif\0\0hello world",
    "no signature": b"hello world",
    "a directory within itself": b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 8),
}


@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("exif", ODD_EXIF.values(), ids=ODD_EXIF)
def test_odd_exif_tags_leave_the_photo_as_stored(tmp_path: Path, exif: bytes, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    path.write_bytes(encoded(gradient(), suffix, exif=exif))
    assert photo_size(path) == (64, 96)
    assert np.array_equal(load_photo(path), load_photo(_without_exif(tmp_path, suffix)))


def _without_exif(folder: Path, suffix: str) -> Path:
    path = folder / f"plain.{suffix}"
    path.write_bytes(encoded(gradient(), suffix))
    return path


@given(position=st.integers(6, 40), value=st.integers(0, 255), second=st.integers(6, 40))
@settings(max_examples=150, deadline=None)
def test_changed_bytes_of_the_exif_tags_never_lose_the_pixels(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int, second: int
) -> None:
    exif = bytearray(orientation_tag(3, 1, b"\x06\0\0\0") + bytes(12))
    exif[position], exif[second] = value, value ^ 0x55
    path = tmp_path_factory.mktemp("exif") / "photo.jpg"
    path.write_bytes(encoded(gradient(), exif=bytes(exif)))
    assert sorted(load_photo(path).shape) == [3, 64, 96]
    assert photo_size(path) == load_photo(path).shape[:2]


# ---------------------------------------------------------------- unusual but intact files


def test_bytes_after_the_end_of_a_jpeg_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(gradient()) + b"trailer" * 1000)
    assert np.array_equal(load_photo(tmp_path / "photo.jpg"), load_photo(_without_exif(tmp_path, "jpeg")))


def test_the_first_picture_of_a_jpeg_with_several_is_read(tmp_path: Path) -> None:
    first, second = Image.fromarray(gradient()), Image.fromarray(gradient(48, 32))
    first.save(tmp_path / "photo.mpo", save_all=True, append_images=[second])
    assert photo_size(tmp_path / "photo.mpo") == (64, 96)
    assert np.abs(load_photo(tmp_path / "photo.mpo").astype(int) - gradient()).mean() < 3
    cut = (tmp_path / "photo.mpo").read_bytes()[:-200]  # within the second picture
    (tmp_path / "photo.jpg").write_bytes(cut)
    assert np.array_equal(load_photo(tmp_path / "photo.jpg"), load_photo(tmp_path / "photo.mpo"))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_per_channel(tmp_path: Path, channels: int) -> None:
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    pixels = np.dstack([gradient(), np.full((64, 96), 255)]).astype(np.uint16)
    pixels = {1: pixels[..., :1], 2: pixels[..., [0, 3]], 3: pixels[..., :3], 4: pixels}[channels]
    rows = b"".join(b"\0" + (row * 257).astype(">u2").tobytes() for row in pixels)
    (tmp_path / "photo.png").write_bytes(png(96, 64, 16, color, rows))
    shown = gradient() if channels > 2 else np.repeat(gradient()[..., :1], 3, axis=2)
    assert np.array_equal(load_photo(tmp_path / "photo.png"), shown)


def test_an_interlaced_png(tmp_path: Path) -> None:
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    rows = b"".join(
        b"\0" + row.tobytes() for x, y, step_x, step_y in passes for row in gradient()[y::step_y, x::step_x]
    )
    (tmp_path / "photo.png").write_bytes(png(96, 64, 8, 2, rows, interlaced=1))
    assert np.array_equal(load_photo(tmp_path / "photo.png"), gradient())


@pytest.mark.parametrize("profile", [b"not a profile", b"\0" * 10, ImageCms.createProfile("sRGB")])
@pytest.mark.parametrize("suffix", ["jpeg", "png", "tiff", "webp"])
def test_color_profiles_are_ignored(tmp_path: Path, profile: object, suffix: str) -> None:
    data = profile if isinstance(profile, bytes) else ImageCms.ImageCmsProfile(profile).tobytes()
    (tmp_path / f"photo.{suffix}").write_bytes(encoded(gradient(), suffix, icc_profile=data))
    assert np.array_equal(
        load_photo(tmp_path / f"photo.{suffix}"), load_photo(_without_exif(tmp_path, suffix))
    )


@pytest.mark.parametrize("name", ["photo.png", "photo.bmp", "photo.pbm", "photo.tif"])
def test_one_bit_per_pixel(tmp_path: Path, name: str) -> None:
    black_and_white = Image.fromarray(gradient()[..., 0] > 100)
    black_and_white.save(tmp_path / name, **({"compression": "group4"} if name.endswith("tif") else {}))
    assert np.array_equal(load_photo(tmp_path / name)[..., 1] == 255, gradient()[..., 0] > 100)


def test_cmyk_jpegs_are_not_inverted(tmp_path: Path) -> None:
    Image.fromarray(gradient()).convert("CMYK").save(tmp_path / "photo.jpg", quality=95)
    assert b"Adobe" in (tmp_path / "photo.jpg").read_bytes()
    assert np.abs(load_photo(tmp_path / "photo.jpg").astype(int) - gradient()).max() < 12


# ---------------------------------------------------------------- HEIC


def heic(folder: Path, **options: object) -> Path:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif encodes the photo of this test")
    path = folder / "photo.heic"
    pillow_heif.from_pillow(Image.fromarray(gradient())).save(path, quality=95, **options)
    return path


@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_read_with_an_installed_reader(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    path = heic(tmp_path, exif=exif.tobytes())
    shown = gradient() if orientation == 1 else np.rot90(gradient(), -1)
    assert photo_size(path) == shown.shape[:2]
    assert np.abs(load_photo(path).astype(int) - shown).mean() < 4
    assert "HEIF" not in Image.OPEN  # Pillow's list of formats is the program's


def test_heic_without_a_reader_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_formats, "_HEIC_READER", "absent")
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(
        PhotoError, match=r"photo\.heic: this photo is HEIC\. .*pip install pillow-heif.*JPEG"
    ):
        load_photo(path)


# ---------------------------------------------------------------- damaged files

HEADERS = [
    b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08",
    b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8X", b"GIF89a", b"BM", b"P6\n", b"P5 ", b"P4 ", b"Pf\n",
    b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif", b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51", b"qoif",
]  # fmt: skip


@given(header=st.sampled_from(HEADERS), rest=st.binary(max_size=200))
@settings(max_examples=400, deadline=None)
def test_random_bytes_give_a_photo_or_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, rest: bytes
) -> None:
    check_reads(tmp_path_factory.mktemp("random"), header + rest)


@given(suffix=st.sampled_from(FORMATS), share=st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_truncated_photos_give_a_photo_or_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, share: float
) -> None:
    data = encoded(gradient(), suffix)
    check_reads(tmp_path_factory.mktemp("cut"), data[: int(share * len(data))])


@given(
    suffix=st.sampled_from(FORMATS),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), min_size=1, max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_flipped_bits_give_a_photo_or_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, changes: list[tuple[float, int]]
) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    data = bytearray(encoded(gradient(), suffix, exif=exif))
    for share, bit in changes:
        data[int(share * len(data))] ^= 1 << bit
    check_reads(tmp_path_factory.mktemp("flipped"), bytes(data))


def check_reads(folder: Path, data: bytes) -> None:
    path = folder / "photo"
    path.write_bytes(data)
    for read in (photo_size, load_photo):
        try:
            read(path)
        except PhotoError as error:
            assert str(path) in str(error)  # noqa: PT017
