"""Photos in any form become three upright RGB channels, or an error that names the photo."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, JpegImagePlugin, features
from torch import Tensor

from boxmask.errors import PhotoError
from boxmask.file_kinds import note_on_unused_files
from boxmask.photos.find import find_photos, find_skipped_files
from boxmask.photos.read import accepts_photos, load_photo, to_image, to_pixels
from boxmask.photos.size import photo_size, stored_size

RED = (255, 0, 0)


def corner_red(width: int = 6, height: int = 4) -> Image.Image:
    """Return a black photo, wider than high, whose upper left pixel is red."""
    image = Image.new("RGB", (width, height))
    image.putpixel((0, 0), RED)
    return image


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


# The (row, column) at which the pixel that is stored at the upper left is shown.
RED_IS_SHOWN_AT = {
    1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_exactly_once(tmp_path: Path, orientation: int, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    options = {"webp": {"lossless": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}}.get(suffix, {})
    corner_red().save(path, exif=with_orientation(orientation), **options)
    photo = load_photo(path)
    shown = (4, 6) if orientation < 5 else (6, 4)
    assert photo.shape == (*shown, 3)
    assert np.abs(photo[RED_IS_SHOWN_AT[orientation]].astype(int) - RED).max() < 10
    assert photo_size(path) == shown
    assert stored_size(path) == (4, 6)
    with Image.open(path) as image:
        assert np.array_equal(to_image(image).permute(1, 2, 0).numpy(), photo)


def test_a_pil_image_that_is_already_upright_is_not_rotated_again(tmp_path: Path) -> None:
    from PIL import ImageOps

    corner_red().save(tmp_path / "photo.png", exif=with_orientation(6))
    with Image.open(tmp_path / "photo.png") as image:
        upright = ImageOps.exif_transpose(image)
        assert to_image(upright).shape == (3, 6, 4)
        assert to_image(upright).shape == (3, 6, 4)
        assert image.size == (6, 4)  # the caller's image is unchanged


def test_orientation_stored_after_the_pixels_of_a_png_is_found(tmp_path: Path) -> None:
    stream = io.BytesIO()
    corner_red().save(stream, "png", exif=with_orientation(6))
    data = stream.getvalue()
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    chunk, rest = data[start:end], data[:start] + data[end:]
    path = tmp_path / "late.png"
    path.write_bytes(rest[:-12] + chunk + rest[-12:])  # just before IEND
    assert photo_size(path) == load_photo(path).shape[:2] == (6, 4)


def saved(path: Path, image: Image.Image, **options: object) -> np.ndarray:
    image.save(path, **options)
    return load_photo(path)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_the_usual_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    white = Image.new("RGB", (5, 3), "white").convert(mode)
    photo = saved(tmp_path / "photo.png", white)
    assert photo.shape == (3, 5, 3)
    assert photo.dtype == np.uint8
    assert (photo == 255).all()


def test_gray_values_are_repeated(tmp_path: Path) -> None:
    photo = saved(tmp_path / "photo.png", Image.fromarray(np.array([[0, 77, 255]], dtype=np.uint8)))
    assert photo.tolist() == [[[0, 0, 0], [77, 77, 77], [255, 255, 255]]]


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path, suffix: str) -> None:
    gray = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
    photo = saved(tmp_path / f"photo.{suffix}", Image.fromarray(gray))
    assert photo[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    assert (photo == photo[..., :1]).all()


def test_32_bit_files_may_hold_16_bit_values(tmp_path: Path) -> None:
    photo = saved(tmp_path / "photo.tiff", Image.fromarray(np.array([[0, 65535]], dtype=np.int32)))
    assert photo[0, :, 0].tolist() == [0, 255]


def test_32_bit_values_beyond_16_bits_are_rejected(tmp_path: Path) -> None:
    Image.fromarray(np.array([[-3, 70000]], dtype=np.int32)).save(tmp_path / "photo.tiff")
    with pytest.raises(PhotoError, match=r"photo\.tiff.*0\.\.65535, found -3\.\.70000"):
        load_photo(tmp_path / "photo.tiff")


def test_floats_in_files_are_scaled_and_rounded(tmp_path: Path) -> None:
    photo = saved(tmp_path / "photo.tiff", Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32)))
    assert photo[0, :, 0].tolist() == [0, 128, 255]
    Image.fromarray(np.array([[0, 200.0]], dtype=np.float32)).save(tmp_path / "photo.tiff")
    with pytest.raises(PhotoError, match=r"photo\.tiff.*0\.\.1, found 0\.\.200"):
        load_photo(tmp_path / "photo.tiff")


def test_transparency_is_blended_with_white(tmp_path: Path) -> None:
    rgba = Image.new("RGBA", (3, 1))
    for x, alpha in enumerate((0, 51, 255)):
        rgba.putpixel((x, 0), (255, 0, 0, alpha))
    photo = saved(tmp_path / "photo.png", rgba)
    assert photo[0].tolist() == [[255, 255, 255], [255, 204, 204], [255, 0, 0]]


def test_a_transparent_palette_color_is_white(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    for suffix in ("png", "gif"):
        photo = saved(tmp_path / f"photo.{suffix}", palette, transparency=0)
        assert photo[0].tolist() == [[255, 255, 255], [40, 50, 60]]


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
def test_other_color_spaces_become_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "LAB":
        image = Image.new("LAB", (8, 8), (255, 128, 128))
    else:
        image = Image.new("RGB", (8, 8), "white").convert(mode)
    photo = saved(tmp_path / "photo.tiff", image)
    assert photo.shape == (8, 8, 3)
    assert photo.min() >= 250
    assert to_image(image).min() >= 250


def test_a_cmyk_jpeg_keeps_its_color(tmp_path: Path) -> None:
    photo = saved(tmp_path / "photo.jpg", Image.new("RGB", (8, 8), (200, 40, 40)).convert("CMYK"))
    assert np.abs(photo.astype(int) - (200, 40, 40)).max() < 12


def test_an_animation_is_read_as_its_first_frame(tmp_path: Path) -> None:
    first, second = Image.new("L", (2, 2), 0), Image.new("L", (2, 2), 255)
    photo = saved(tmp_path / "photo.gif", first, save_all=True, append_images=[second])
    assert (photo == 0).all()


# ---------------------------------------------------------------- files that are not photos


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    for read in (load_photo, photo_size, to_image):
        with pytest.raises(PhotoError, match=r"absent\.jpg: this photo does not exist"):
            read(tmp_path / "absent.jpg")


def test_a_file_that_is_not_an_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a photo")
    for read in (load_photo, photo_size):
        with pytest.raises(PhotoError, match=r"text\.jpg: this file is not an image"):
            read(tmp_path / "text.jpg")


def test_an_empty_file_and_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(PhotoError, match=r"empty\.png"):
        photo_size(tmp_path / "empty.png")
    with pytest.raises(PhotoError, match="expected a photo, found a folder"):
        load_photo(tmp_path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "bmp", "webp", "gif"])
def test_a_truncated_photo_is_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / f"cut.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PhotoError, match=rf"cut\.{suffix}"):
        load_photo(path)


@given(
    suffix=st.sampled_from(["jpeg", "png", "tiff", "webp", "gif", "bmp", "ppm"]),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_give_a_photo_or_a_photo_error(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, changes: list[tuple[float, int]]
) -> None:
    stream = io.BytesIO()
    corner_red(20, 10).save(stream, suffix, exif=with_orientation(6))
    data = bytearray(stream.getvalue())
    for position, value in changes:
        data[int(position * len(data))] = value
    path = tmp_path_factory.mktemp("damaged") / f"photo.{suffix}"
    path.write_bytes(data)
    for read in (photo_size, load_photo):
        try:
            read(path)
        except PhotoError as error:
            assert str(path) in str(error)  # noqa: PT017


@pytest.mark.parametrize("error", [TypeError, AttributeError, RuntimeError, IndexError, SyntaxError])
def test_an_exception_while_decoding_means_a_damaged_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    corner_red().save(tmp_path / "photo.jpg")

    def fail(image: Image.Image) -> None:
        raise error("header announces more than there is")

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", fail)
    with pytest.raises(PhotoError, match=r"photo\.jpg: this photo is damaged or truncated \(header"):
        load_photo(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    "error", [TypeError, AttributeError, RuntimeError, IndexError, SyntaxError, UserWarning]
)
def test_an_exception_while_reading_exif_tags_leaves_the_photo_as_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    corner_red().save(tmp_path / "photo.jpg", exif=with_orientation(6))

    def fail(image: Image.Image) -> None:
        raise error("broken tags")

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "getexif", fail)
    assert load_photo(tmp_path / "photo.jpg").shape == (4, 6, 3)
    assert photo_size(tmp_path / "photo.jpg") == (4, 6)


@pytest.mark.parametrize("error", [TypeError, AttributeError, RuntimeError, ValueError])
def test_a_bug_in_our_own_conversion_is_not_reported_as_a_damaged_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    image = corner_red().convert("RGBA")
    image.putalpha(7)
    image.save(tmp_path / "photo.png")

    def fail(*_: object) -> None:
        raise error("a bug")

    monkeypatch.setattr("boxmask.photos.read.rgb_array", fail)
    monkeypatch.setattr("boxmask.photos.size._png_chunks", fail)
    for read in (load_photo, to_image, photo_size):
        with pytest.raises(error, match=r"^a bug$"):
            read(tmp_path / "photo.png")
    with pytest.raises(error, match=r"^a bug$"):
        to_image(image)


# ---------------------------------------------------------------- arrays and tensors


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", np.float16, np.float32, np.float64])
def test_arrays(shape: tuple[int, ...], dtype: str) -> None:
    image = to_image(np.ones(shape, dtype=dtype))
    assert image.shape == (3, 4, 6)
    assert image.dtype == (torch.float32 if np.dtype(dtype).kind == "f" else torch.uint8)


def test_read_only_and_reversed_arrays() -> None:
    backwards = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)[..., ::-1]
    backwards.setflags(write=False)
    assert to_image(backwards)[:, 0, 0].tolist() == [2, 1, 0]


@pytest.mark.parametrize("shape", [(4, 6), (1, 4, 6), (3, 4, 6), (4, 4, 6)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float16, torch.float32, torch.float64])
def test_tensors(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    image = to_image(torch.ones(shape, dtype=dtype))
    assert image.shape == (3, 4, 6)
    assert image.dtype == (torch.float32 if dtype.is_floating_point else torch.uint8)


def test_float_tensors_are_not_rounded() -> None:
    photo = torch.rand(3, 4, 6)
    assert torch.equal(to_image(photo), photo)


def test_transparency_gives_the_same_result_in_every_form() -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    image = to_image(rgba)
    assert torch.equal(image, to_image(Image.fromarray(rgba)))
    assert torch.equal(image, to_image(torch.from_numpy(rgba).permute(2, 0, 1)))
    assert (to_image(rgba / 255) * 255 - image).abs().max() <= 0.5 + 1e-4


@pytest.mark.parametrize(
    ("photo", "found"),
    [
        (np.zeros((3, 4, 6), dtype=np.uint8), r"\(H, W, 3\).*found uint8 \(3, 4, 6\)"),
        (np.zeros((4, 6), dtype=np.int64), r"found int64 \(4, 6\)"),
        (np.zeros((4, 6), dtype=bool), r"found bool \(4, 6\)"),
        (np.zeros((0, 6), dtype=np.uint8), r"found uint8 \(0, 6\)"),
        (torch.zeros(5, 6, 3), r"\(3, H, W\).*found torch.float32 \(5, 6, 3\)"),
        (torch.zeros(2, 3, 4, 6), "Pass several photos as a list"),
        (torch.zeros(3, 4, 6, dtype=torch.int64), r"found torch.int64"),
        (torch.full((3, 4, 6), 255.0), r"0\.\.1, found 255\.\.255"),
        (torch.full((3, 4, 6), float("nan")), "found nan"),
        (7, "found int"),
        (None, "found NoneType"),
    ],
)
def test_errors_say_what_was_expected_and_found(photo: object, found: str) -> None:
    with pytest.raises(PhotoError, match=found):
        to_image(photo)  # type: ignore[arg-type]


# ---------------------------------------------------------------- methods


@dataclass(frozen=True)
class Measured:
    """Stands in for a result."""

    shape: tuple[int, ...]
    photo: object = None


class Measurer:
    """Stands in for a detector: returns the shape of each photo."""

    @accepts_photos
    def predict(self, images: list[Tensor]) -> list[Measured]:
        """Measure."""
        assert images, "called without photos"
        return [Measured(tuple(image.shape)) for image in images]


def test_one_photo_gives_one_result_and_a_list_a_list(tmp_path: Path) -> None:
    corner_red().save(tmp_path / "photo.png")
    forms = [tmp_path / "photo.png", str(tmp_path / "photo.png"), corner_red(), np.zeros((4, 6), np.uint8)]
    for form in forms:
        assert Measurer().predict(form).shape == (3, 4, 6)
        assert [result.shape for result in Measurer().predict([form])] == [(3, 4, 6)]
    results = Measurer().predict([*forms, torch.zeros(2, 3)])
    assert [result.shape for result in results] == [(3, 4, 6)] * 4 + [(3, 2, 3)]
    assert Measurer().predict((torch.zeros(2, 3),))[0].shape == (3, 2, 3)
    assert Measurer().predict([]) == []


def test_results_remember_paths_and_pil_images_but_no_arrays(tmp_path: Path) -> None:
    corner_red().save(tmp_path / "photo.png")
    forms = [tmp_path / "photo.png", str(tmp_path / "photo.png"), corner_red(), np.zeros((4, 6), np.uint8)]
    assert [result.photo for result in Measurer().predict(forms)] == [*forms[:3], None]
    assert Measurer().predict(forms[1]).photo == forms[1]
    assert Measurer().predict(torch.zeros(2, 3)).photo is None


def test_the_method_keeps_its_docstring() -> None:
    assert Measurer.predict.__doc__ == "Measure."


# ---------------------------------------------------------------- finding


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with photos at two levels, a hidden photo, a hidden folder and a text file."""
    for name in ("b.JPG", "a.png", "deep/er/c.jpeg", ".hidden.png", ".cache/d.png", "deep/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(folder: Path, photos: list[Path]) -> list[str]:
    return [photo.relative_to(folder).as_posix() for photo in photos]


def test_a_folder_is_searched_with_its_subfolders(folder: Path) -> None:
    assert names(folder, find_photos([folder])) == ["a.png", "b.JPG", "deep/er/c.jpeg"]
    assert find_photos(folder) == find_photos(str(folder)) == find_photos([folder])


def test_patterns_and_files_keep_their_order_and_are_listed_once(folder: Path) -> None:
    found = find_photos([folder / "b.JPG", f"{folder}/*", f"{folder}/**/*.jp*g", folder])
    assert names(folder, found) == ["b.JPG", "a.png", "deep/er/c.jpeg"]


def test_a_photo_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "photo[1].png").touch()
    assert names(tmp_path, find_photos([tmp_path / "photo[1].png"])) == ["photo[1].png"]


def test_an_input_that_matches_nothing_is_named(folder: Path) -> None:
    (folder / "empty").mkdir()
    for given_path, why in (
        (folder / "absent.jpg", "no such photo or folder"),
        (folder / "empty", "contains no photos"),
        (folder / "*.gif", "matches no photos"),
        (folder / "deep/*.txt", "matches no photos"),
    ):
        with pytest.raises(PhotoError, match=why):
            find_photos([folder, given_path])


def test_no_inputs_give_no_photos() -> None:
    assert find_photos([]) == []


def test_files_that_are_not_photos_are_accounted_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one.HEIC", "two.heif", "clip.mp4", "clip.MOV", "LABELS", "deep/er/x.json"):
        (folder / name).touch()
    monkeypatch.setattr("boxmask.photos.formats._HEIC_READER", "absent")
    unused = find_skipped_files([folder, folder / "a.png", f"{folder}/**/*"])
    assert names(folder, unused) == [
        "LABELS", "clip.MOV", "clip.mp4", "deep/er/x.json", "deep/notes.txt", "one.HEIC", "two.heif",
    ]  # fmt: skip
    (note,) = note_on_unused_files(str(file) for file in unused)
    assert "1 .heic (pip install pillow-heif to read it, or convert it to JPEG)" in note
    assert "1 .mp4 (video)" in note
    assert find_skipped_files(folder / "a.png") == []
    assert names(folder, find_skipped_files(f"{folder}/*.m*")) == ["clip.mp4"]


def test_a_folder_without_photos_says_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.heic", "b.heic", "c.mp4"):
        (tmp_path / name).touch()
    monkeypatch.setattr("boxmask.photos.formats._HEIC_READER", "absent")
    with pytest.raises(
        PhotoError, match=r"no photos .*Not used: 2 \.heic \(pip install.*1 \.mp4 \(video\)\."
    ):
        find_photos(tmp_path)


def test_heic_is_a_photo_with_an_installed_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.HEIC").touch()
    monkeypatch.setattr("boxmask.photos.formats._HEIC_READER", "pathlib")
    assert names(tmp_path, find_photos(tmp_path)) == ["a.HEIC"]
    assert find_skipped_files(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jpg", b"", "this file is empty"),
        ("a.jpg", b"abc", "this file is not an image"),
        ("a.heic", b"some text", "this file is not an image"),
        ("a.mp4", b"", "this is a video, not a photo"),
        ("a.mkv", b"\x1aE\xdf\xa3 and more", "this is a video, not a photo"),
    ],
)
def test_files_that_are_no_images_are_called_what_they_are(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PhotoError, match=rf"{name}: {message}"):
        to_image(tmp_path / name)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_arrays_and_tensors_are_converted_alike(channels: int, dtype: type[np.generic]) -> None:
    values = np.random.default_rng(0).integers(0, 256, (5, 7, channels))
    array = (values / 255).astype(dtype) if np.dtype(dtype).kind == "f" else values.astype(dtype) * 200
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    assert torch.equal(to_image(array), to_image(tensor))
    assert np.array_equal(to_pixels(array), to_pixels(tensor))
    assert to_pixels(array).dtype == np.uint8
    assert to_pixels(array).shape == (5, 7, 3)
