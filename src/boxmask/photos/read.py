"""Read a photo as upright RGB, in the same way for training, evaluation and prediction.

    path -> PIL image -> array (H, W, 3) -> image (3, H, W)

- The EXIF orientation is applied exactly once.
- Animations and files with several pages are read as their first frame.
- `photos/rgb.py` converts transparency, 16-bit values and floats to RGB.

torch is loaded by the functions that give tensors. Checks of labels and photos, and exported models, go
without.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, Union, cast, overload

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from boxmask.errors import PhotoError
from boxmask.photos.errors import photo_error, too_large
from boxmask.photos.formats import (
    DECODER_ERRORS,
    MAX_PIXELS,
    OWN_OPENERS,
    TRANSPOSITIONS,
    WRONG_FORMAT_ERRORS,
    open_heic,
)
from boxmask.photos.rgb import rgb_array, to_uint8

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8, UInt16
    from torch import Tensor

Photo: TypeAlias = Union[str, Path, Image.Image, NDArray[Any], "Tensor"]
"""What `to_image` takes."""

ResultT = TypeVar("ResultT")

_STRIP_PIXELS = 2**25  # larger photos are converted in strips, which saves a copy of the photo


def to_image(photo: Photo) -> UInt8[Tensor, "3 H W"] | Float[Tensor, "3 H W"]:
    """Convert a path, PIL image, array or tensor to an RGB tensor (3, H, W).

    Takes a path, a PIL image, an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or a tensor (H, W),
    (1, H, W), (3, H, W) or (4, H, W). Arrays and tensors are uint8, uint16, or floating point in 0..1, and
    their channels are RGB. OpenCV reads BGR: pass `image[..., ::-1]`.
    Returns uint8, or float32 in 0..1 for arrays and tensors of floating point, which are not rounded. The
    result may share memory with the input and need not be contiguous (photos from files are channels-last).
    Raises PhotoError with what was expected and what was found.
    """
    import torch

    from boxmask.photos.rgb_tensors import to_rgb, with_channel_axis

    if isinstance(photo, torch.Tensor):
        return to_rgb(with_channel_axis(photo))
    if isinstance(photo, str | Path):
        with open_image(photo) as image:
            pixels: NDArray[Any] = _decode(image, photo)
    else:  # torch has no read-only arrays, and no negative strides
        pixels = np.require(_to_rgb_array(photo), requirements=["C_CONTIGUOUS", "WRITEABLE"])
    return torch.from_numpy(pixels).permute(2, 0, 1)


def to_pixels(photo: Photo) -> UInt8[np.ndarray, "H W 3"]:
    """Convert a path, PIL image, array or tensor to RGB (H, W, 3) uint8. Floats are rounded.

    Takes the same photos as `to_image`, and raises PhotoError as it does. torch is needed for tensors only.
    """
    if isinstance(photo, str | Path):
        return load_photo(photo)
    if hasattr(photo, "detach"):  # a tensor; torch is therefore imported
        from boxmask.photos.rgb_tensors import to_uint8_array

        return to_uint8_array(to_image(photo))
    return np.ascontiguousarray(to_uint8(_to_rgb_array(photo)))


def _to_rgb_array(photo: Photo) -> UInt8[np.ndarray, "H W 3"] | Float[np.ndarray, "H W 3"]:
    """Convert a PIL image or an array. Raises PhotoError for anything else."""
    if isinstance(photo, Image.Image):
        return _decode(photo, getattr(photo, "filename", "") or "PIL image")
    if isinstance(photo, np.ndarray):
        return rgb_array(photo)
    raise PhotoError(f"photo: expected a path, PIL image, array or tensor, found {type(photo).__name__}")


def load_photo(path: str | Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read a photo file as it is shown: (H, W, 3) uint8 RGB.

    Raises PhotoError, naming the file, if it is missing, truncated or not an image.
    """
    with open_image(path) as image:
        return _decode(image, path)


# ---------------------------------------------------------------------- decoding


@contextmanager
def open_image(
    path: str | Path, content: bytes | None = None, formats: Collection[str] | None = None
) -> Iterator[Image.Image]:
    """Open an image file without decoding it.

    content: of the file, if it is in memory; `path` is then only its name in messages
    formats: the formats to try, as Pillow calls them; by default all

    Raises PhotoError, naming the file, if it is missing, not an image, too large, or its header damaged.
    """
    with ExitStack() as stack:
        try:
            opened = Path(path).open("rb") if content is None else io.BytesIO(content)  # noqa: SIM115
            file: IO[bytes] = stack.enter_context(opened)
            prefix = file.read(16)
            image = None
            for name in Image.ID:  # as `Image.open` does, without its limit
                if formats is not None and name not in formats:
                    continue
                opener, accept = Image.OPEN[name]
                with suppress(*WRONG_FORMAT_ERRORS):
                    accepted = accept is None or accept(prefix)
                    if accepted and not isinstance(accepted, str):  # a str says why it cannot be opened
                        file.seek(0)
                        image = OWN_OPENERS.get(name, opener)(file, str(path))
                        break
            image = image or open_heic(file, str(path))
            if image is None:
                raise UnidentifiedImageError
            stack.enter_context(image)
        except (PhotoError, *DECODER_ERRORS) as error:
            raise photo_error(path, error) from error
        if image.width * image.height > MAX_PIXELS:
            raise PhotoError.in_file(path, too_large(image.size))
        yield image


def _decode(image: Image.Image, name: str | Path) -> UInt8[np.ndarray, "H W 3"]:
    """Decode a PIL image and turn it upright. Raises PhotoError, naming the photo."""
    try:
        image.load()  # a TIFF is turned upright while loading and loses its orientation
        if (turned := orientation(image)) != 1:
            image = image.transpose(TRANSPOSITIONS[turned])
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            pixels = np.array(image)
        else:
            mode = "RGBA" if image.has_transparency_data else "RGB"
            if image.width * image.height > _STRIP_PIXELS:
                pixels = _convert_in_strips(image, mode)
            else:
                pixels = np.array(image if image.mode == mode else image.convert(mode))
    except DECODER_ERRORS as error:
        raise photo_error(name, error) from error
    return pixels if pixels.shape[2:] == (3,) else _rgb_array(pixels, name)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1..8. It is 1, upright, if there is none or the EXIF tags are broken."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DECODER_ERRORS:
        return 1  # the pixels are intact
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _convert_in_strips(image: Image.Image, mode: str) -> UInt8[np.ndarray, "H W C"]:
    """Convert to RGB or RGBA without a second copy of a large photo."""
    pixels = np.empty((image.height, image.width, len(mode)), dtype=np.uint8)
    rows = max(1, _STRIP_PIXELS // (8 * image.width))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        pixels[top : top + rows] = np.asarray(strip.convert(mode))
    return pixels


def _rgb_array(pixels: NDArray[Any], name: str | Path) -> UInt8[np.ndarray, "H W 3"]:
    """Convert (H, W, 4) uint8, or (H, W) of a deeper type. Raises PhotoError, naming the photo."""
    try:
        return to_uint8(rgb_array(_as_uint16(pixels) if pixels.dtype == np.int32 else pixels))
    except PhotoError as error:
        raise PhotoError.in_file(name, str(error)) from error


def _as_uint16(gray: Int[np.ndarray, "H W"]) -> UInt16[np.ndarray, "H W"]:
    """Convert Pillow's 32-bit integers (mode "I") to the 16-bit values that they hold."""
    low, high = int(gray.min()), int(gray.max())
    if low < 0 or high > 65535:
        raise PhotoError(f"gray values: expected 0..65535, found {low}..{high}. Save it with 8 or 16 bits.")
    return gray.astype(np.uint16)


# ---------------------------------------------------------------------- methods that take photos


class _Predict(Protocol[ResultT]):
    """One photo in, one result out; a list in, a list out; optionally with proposals per photo."""

    @overload
    def __call__(
        self, photos: list[Any] | tuple[Any, ...], /, proposals: list[Tensor] | None = None
    ) -> list[ResultT]: ...

    @overload
    def __call__(self, photos: Photo, /, proposals: Tensor | None = None) -> ResultT: ...


class _PredictMethod(Protocol[ResultT]):
    """The same as a method that is not yet bound to its object."""

    def __get__(self, instance: object, owner: type | None = None) -> _Predict[ResultT]: ...


def accepts_photos(method: Callable[..., list[ResultT]]) -> _PredictMethod[ResultT]:
    """Let a method for a list of (3, H, W) tensors accept one photo, or a list of photos, in any usual form.

    One photo gives one result; a list or tuple of photos gives a list of results. The method gets one photo
    at a time: in a batch, the padding of a photo and the rounding of its result would depend on the other
    photos. `proposals`, if given, is one tensor for one photo and a list of tensors for several. See
    `to_image` for the forms of a photo; it raises PhotoError for anything else. Raises ValueError if there is
    not one tensor of proposals per photo.
    """

    @wraps(method)
    def with_photos(
        self: object, photos: Photo | Sequence[Photo], /, proposals: Tensor | list[Tensor] | None = None
    ) -> ResultT | list[ResultT]:
        single = not isinstance(photos, list | tuple)
        several: Sequence[Any] = [photos] if single else cast(Sequence[Any], photos)
        given: Any = [proposals] if single else [None] * len(several) if proposals is None else proposals
        results = []
        for photo, boxes in zip(several, given, strict=True):
            options: dict[str, Any] = {} if boxes is None else {"proposals": [boxes]}
            [result] = method(self, [to_image(photo)], **options)
            # An array or tensor is not kept: a program that collects results would keep every video frame.
            if isinstance(photo, str | Path | Image.Image):
                object.__setattr__(result, "photo", photo)  # results are frozen, and this one is new
            results.append(result)
        return results[0] if single else results

    return cast(_PredictMethod[ResultT], with_photos)
