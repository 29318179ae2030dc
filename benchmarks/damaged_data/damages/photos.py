"""Photos: unreadable, cut off, blank, dark, light, blurred, of an odd size or mode."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from damaged_data.damage import ALL_FORMATS, damage
from damaged_data.draft import Draft
from damaged_data.sample import Photo

Change = Callable[[Image.Image], Image.Image]


def encode(image: Image.Image, kind: str = "JPEG", quality: int = 92) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, quality=quality)
    return content.getvalue()


def changed(photo: Photo, change: Change, kind: str = "JPEG", quality: int = 92) -> bytes:
    """The photo with other pixels."""
    with Image.open(photo.source) as image:
        return encode(change(image.convert("RGB")), kind, quality)


def _replace(draft: Draft, kind: str, content: bytes) -> None:
    photo = draft.photo(2)
    photo.content = content
    draft.write()
    draft.expect_photo(kind, photo)


@damage("photo-unreadable", ALL_FORMATS)
def unreadable(draft: Draft) -> None:
    _replace(draft, "photo-unreadable", b"<html>404 Not Found</html>")


@damage("photo-unreadable, empty", ALL_FORMATS)
def empty_file(draft: Draft) -> None:
    _replace(draft, "photo-unreadable", b"")


@damage("photo-truncated", ALL_FORMATS)
def truncated(draft: Draft) -> None:
    content = draft.photo(2).source.read_bytes()
    _replace(draft, "photo-truncated", content[: len(content) // 2])


@damage("photo-wrong-suffix", ALL_FORMATS)
def wrong_suffix(draft: Draft) -> None:
    _replace(draft, "photo-wrong-suffix", changed(draft.photo(2), lambda image: image, "PNG"))


@damage("photo-blank", ALL_FORMATS)
def blank(draft: Draft) -> None:
    _replace(
        draft,
        "photo-blank",
        changed(draft.photo(2), lambda image: Image.new("RGB", image.size, (128, 131, 127))),
    )
    draft.allow("photo-blurred")


def dusk(draft: Draft) -> None:
    photo = draft.photo(2)
    photo.content = changed(photo, lambda image: ImageEnhance.Brightness(image).enhance(0.6))
    draft.write()


@damage("photo-dark", ALL_FORMATS, twin=dusk)
def dark(draft: Draft) -> None:
    _replace(
        draft,
        "photo-dark",
        changed(draft.photo(2), lambda image: ImageEnhance.Brightness(image).enhance(0.06)),
    )
    draft.allow("photo-blurred", "photo-blank")


def bright(draft: Draft) -> None:
    photo = draft.photo(2)
    photo.content = changed(photo, lambda image: ImageEnhance.Brightness(image).enhance(1.15))
    draft.write()


@damage("photo-light", ALL_FORMATS, twin=bright)
def light(draft: Draft) -> None:
    def overexpose(image: Image.Image) -> Image.Image:
        pixels = np.asarray(image, np.float32)
        return Image.fromarray((pixels * 0.04 + 244).clip(0, 255).astype(np.uint8))

    _replace(draft, "photo-light", changed(draft.photo(2), overexpose))
    draft.allow("photo-blurred", "photo-blank")


def soft(draft: Draft) -> None:
    photo = draft.photo(2)
    photo.content = changed(photo, lambda image: image.filter(ImageFilter.GaussianBlur(0.6)))
    draft.write()


@damage("photo-blurred", ALL_FORMATS, twin=soft)
def blurred(draft: Draft) -> None:
    _replace(
        draft,
        "photo-blurred",
        changed(draft.photo(2), lambda image: image.filter(ImageFilter.GaussianBlur(9))),
    )


def half_as_large(draft: Draft) -> None:
    """A photo of half the size of the others, with its labels."""
    _resize(draft, 0.5)
    draft.write()


def _resize(draft: Draft, factor: float) -> Photo:
    photo = draft.photo(2)
    height, width = (round(side * factor) for side in photo.size)
    across, down = width / photo.size[1], height / photo.size[0]
    photo.content = changed(photo, lambda image: image.resize((width, height)))
    photo.size = (height, width)
    for thing in photo.objects:
        x1, y1, x2, y2 = thing.box
        thing.move_to([x1 * across, y1 * down, x2 * across, y2 * down])
    return photo


@damage("photo-odd-size", ALL_FORMATS, twin=half_as_large)
def odd_size(draft: Draft) -> None:
    """A thumbnail among photos."""
    photo = _resize(draft, 0.08)
    draft.write()
    draft.expect_photo("photo-odd-size", photo)
    draft.allow("box-tiny", "photo-blurred", "outline-empty", "outline-misfits-box", "area-wrong")


@damage("photo-odd-mode", ALL_FORMATS)
def odd_mode(draft: Draft) -> None:
    _replace(draft, "photo-odd-mode", changed(draft.photo(2), lambda image: image.convert("CMYK")))


@damage("photo-odd-mode, gray", ALL_FORMATS)
def gray(draft: Draft) -> None:
    _replace(draft, "photo-odd-mode", changed(draft.photo(2), lambda image: image.convert("L")))
