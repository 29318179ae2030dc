"""Read a photo in any usual form as upright RGB: the one entrance for training, evaluation and prediction.

    path -> PIL image -> array (H, W, 3) -> image (3, H, W)

- The EXIF orientation is applied exactly once.
- Of an animation or a file with several pages, the first frame is read.
- `photos/rgb.py` says how transparency, 16-bit values and floats become RGB.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar, cast, overload

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from boxmask.errors import PhotoError
from boxmask.photos.rgb import channels_first, to_rgb, to_uint8_array, with_channels
from boxmask.types.source import attach_photo

Photo: TypeAlias = str | Path | Image.Image | NDArray[Any] | Tensor
"""What `to_image` takes."""

ResultT = TypeVar("ResultT")

# What Pillow's decoders have been seen to raise on damaged bytes. TypeError and AttributeError are among
# them: Pillow raises both when a header promises what the file does not hold.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def to_image(photo: Photo) -> UInt8[Tensor, "3 H W"] | Float[Tensor, "3 H W"]:
    """Convert a photo in any usual form to an RGB tensor (3, H, W).

    Takes a path, a PIL image, an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or a tensor (H, W),
    (1, H, W), (3, H, W) or (4, H, W). Arrays and tensors are uint8, uint16, or floating point in 0..1.
    Returns uint8, or float32 in 0..1 for arrays and tensors of floating point, which are not rounded. The
    result may share memory with the input and need not be contiguous (photos from files are channels-last).
    Raises PhotoError with what was expected and what was found.
    """
    if isinstance(photo, str | Path):
        return torch.from_numpy(load_photo(photo)).permute(2, 0, 1)
    if isinstance(photo, Image.Image):
        with photo_errors(getattr(photo, "filename", "") or "PIL image"):
            return torch.from_numpy(array_of_pil(photo)).permute(2, 0, 1)
    if isinstance(photo, np.ndarray):
        return to_rgb(channels_first(photo))
    if isinstance(photo, Tensor):
        return to_rgb(with_channels(photo))
    raise PhotoError(f"a photo: expected a path, PIL image, array or tensor, found {type(photo).__name__}")


def load_photo(path: str | Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read a photo file as it is shown: (H, W, 3) uint8 RGB.

    Raises PhotoError, naming the file, if it is missing, truncated or not an image.
    """
    with photo_errors(path), Image.open(path) as image:
        return array_of_pil(image)


def array_of_pil(image: Image.Image) -> UInt8[np.ndarray, "H W 3"]:
    """Decode, turn upright, and reduce to eight bits and three channels."""
    image.load()  # a TIFF turns itself upright while loading, and forgets its orientation
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.has_transparency_data or image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return to_uint8_array(to_rgb(channels_first(_transparent_or_deep(image))))
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _transparent_or_deep(image: Image.Image) -> NDArray[Any]:
    """The pixels with their transparency (RGBA), or gray of 16 bits or floats."""
    if image.mode == "F":
        return np.array(image)
    if image.mode.startswith("I;16"):
        return np.array(image).astype(np.uint16)
    if image.mode != "I":
        return np.array(image if image.mode == "RGBA" else image.convert("RGBA"))
    gray = np.array(image)  # 32-bit integers of a file that holds 16-bit values
    low, high = int(gray.min()), int(gray.max())
    if low < 0 or high > 65535:
        raise PhotoError(f"gray values: expected 0..65535, found {low}..{high}. Save it with 8 or 16 bits.")
    return gray.astype(np.uint16)


@contextmanager
def photo_errors(path: str | Path) -> Iterator[None]:
    """Turn any error while a photo is read into a PhotoError that names the photo and says what to do."""
    try:
        yield
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: there is no such photo. Check the spelling and the folder.") from error
    except IsADirectoryError as error:
        raise PhotoError(f"{path}: this is a folder, where one photo was expected.") from error
    except PermissionError as error:
        raise PhotoError(f"{path}: this photo may not be read. Change its permissions.") from error
    except UnidentifiedImageError as error:
        advice = "Convert it to JPEG or PNG, or leave it out."
        raise PhotoError(f"{path}: not a photo in a format that can be read. {advice}") from error
    except _DECODER_ERRORS as error:
        advice = "Replace it by an intact copy, or remove it together with its labels."
        raise PhotoError(f"{path}: this photo is damaged or truncated ({error}). {advice}") from error


# ---------------------------------------------------------------------- methods that take photos


class _Predict(Protocol[ResultT]):
    """One photo in, one result out; a list in, a list out; with proposals of each photo, if there are any."""

    @overload
    def __call__(
        self, photos: list[Any] | tuple[Any, ...], /, proposals: list[Tensor] | None = None
    ) -> list[ResultT]: ...

    @overload
    def __call__(self, photos: Photo, /, proposals: Tensor | None = None) -> ResultT: ...


class _PredictMethod(Protocol[ResultT]):
    """The same as a method, not yet bound to its object."""

    def __get__(self, instance: object, owner: type | None = None) -> _Predict[ResultT]: ...


def accepts_photos(method: Callable[..., list[ResultT]]) -> _PredictMethod[ResultT]:
    """Let a method that takes a list of (3, H, W) tensors take one photo, or a list, in any usual form.

    One photo gives one result. A list or tuple of photos gives a list, and an empty list an empty list.
    `proposals`, if given, is one tensor for one photo and a list for several. `to_image` says what a photo
    may be and raises PhotoError for anything else.
    """

    @wraps(method)
    def with_photos(
        self: object, photos: Photo | Sequence[Photo], /, proposals: Tensor | list[Tensor] | None = None
    ) -> ResultT | list[ResultT]:
        if not isinstance(photos, list | tuple):
            one = {} if proposals is None else {"proposals": [proposals]}
            return attach_photo(method(self, [to_image(cast(Photo, photos))], **one)[0], photos)
        several = {} if proposals is None else {"proposals": proposals}
        results = method(self, [to_image(photo) for photo in photos], **several) if photos else []
        return list(map(attach_photo, results, photos))

    return cast(_PredictMethod[ResultT], with_photos)
