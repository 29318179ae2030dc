"""The one doorway for every photo, in training, evaluation and prediction alike.

Whatever is stored becomes three channels, RGB, upright:

- the EXIF orientation is applied, exactly once;
- the first frame of an animation or of several pages is taken;
- transparency is laid over white, as a page shows it (under it a file may hide anything);
- 16-bit values keep their upper eight bits (value >> 8): the full range 0..65535 becomes 0..255;
- floating-point values mean 0..1, and anything outside is refused rather than guessed at.
"""

from __future__ import annotations

import glob
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
from boxmask.photos.folders import visible_files

PHOTO_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff"),
    *(".webp", ".gif", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"),
)

Photo: TypeAlias = str | Path | Image.Image | NDArray[Any] | Tensor
"""What `to_image` takes."""

_SIDEWAYS = (5, 6, 7, 8)  # the EXIF orientations that exchange height and width
_PNG_CHUNKS_WITH_ORIENTATION = {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}
# What Pillow's decoders have been seen to raise on damaged bytes.
_DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError),
    *(TypeError, AttributeError, RuntimeError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)


# ---------------------------------------------------------------- files


def load_photo(path: str | Path) -> UInt8[NDArray[np.uint8], "H W 3"]:
    """Read a photo file as it is shown: (H, W, 3) uint8 RGB.

    Raises PhotoError, naming the file, if it is missing, truncated or not an image.
    """
    with naming(path), Image.open(path) as image:
        return _rgb_of_pil(image).permute(1, 2, 0).numpy()


def photo_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a photo file as it is shown, from its header alone.

    Only a TIFF that is not stored upright is decoded, because Pillow's versions differ in how they open it.
    Raises PhotoError, naming the file, if it is missing or its header cannot be read.
    """
    with naming(path), Image.open(path) as image:
        orientation = _orientation(image, Path(path))
        if image.format == "TIFF" and orientation != 1:
            ImageOps.exif_transpose(image, in_place=True)
            return image.height, image.width
        width, height = image.size
        return (width, height) if orientation in _SIDEWAYS else (height, width)


def stored_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a photo file before its EXIF orientation is applied, as some label tools see it."""
    with naming(path), Image.open(path) as image:
        sideways = _orientation(image, Path(path)) in _SIDEWAYS
    height, width = photo_size(path)
    return (width, height) if sideways else (height, width)


def find_photos(inputs: str | Path | Sequence[str | Path]) -> list[Path]:
    """The photo files that are meant by photos, folders (searched to the bottom) and globs, in that order.

    Folders and globs give files that end in one of PHOTO_ENDINGS, sorted, without hidden ones; a file that
    is named outright is taken as it is. What is meant twice is given once.
    Raises PhotoError for an input that matches nothing.
    """
    found: dict[Path, Path] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        photos = _photos_of(Path(given))
        if not photos:
            raise PhotoError(f"{given}: {_why_nothing(Path(given))}")
        for photo in photos:
            found.setdefault(photo.resolve(), photo)
    return list(found.values())


def _photos_of(given: Path) -> list[Path]:
    if given.is_dir():
        return [path for path in visible_files(given) if path.suffix.lower() in PHOTO_ENDINGS]
    if given.is_file():
        return [given]
    pattern = str(given)  # may be absolute, which Path.glob refuses
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    files = [match for match in matches if match.suffix.lower() in PHOTO_ENDINGS and not match.is_dir()]
    folders = [photo for match in matches if match.is_dir() for photo in _photos_of(match)]
    return sorted({*files, *folders})


def _why_nothing(given: Path) -> str:
    if given.is_dir():
        return f"this folder holds no photo (looked for names ending in {', '.join(PHOTO_ENDINGS)})."
    if glob.has_magic(str(given)):
        return f"matches no photo (looked for names ending in {', '.join(PHOTO_ENDINGS)})."
    return "there is no such photo or folder. Check the spelling."


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong with a photo into a PhotoError that names it and says what to do."""
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


def _orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1..8, 1 being upright.

    A PNG may carry it behind its pixels, so Pillow decodes all of it to look; most have no chunk that could
    hold one, and are spared that.
    """
    if image.format == "PNG" and not _PNG_CHUNKS_WITH_ORIENTATION & set(_png_chunks(path)):
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _png_chunks(path: Path) -> Iterator[bytes]:
    """The types of a PNG's chunks, found by hopping from header to header."""
    with path.open("rb") as file:
        file.seek(8)  # the signature
        while len(head := file.read(8)) == 8:
            yield head[4:]
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)  # the content and its checksum


# ---------------------------------------------------------------- tensors


def to_image(photo: Photo) -> UInt8[Tensor, "3 H W"] | Float[Tensor, "3 H W"]:
    """A photo in any of the usual forms as a (3, H, W) RGB tensor.

    Takes a path, a PIL image, a numpy array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or a tensor (H, W),
    (1, H, W), (3, H, W) or (4, H, W); arrays and tensors are uint8, uint16, or floating point in 0..1.
    Gives uint8; arrays and tensors of floating point give float32 in 0..1 and are not rounded. Memory may
    be shared with what was given, and need not be contiguous (what comes from files lies channels-last).
    Raises PhotoError with what was expected and what was found.
    """
    if isinstance(photo, str | Path):
        return torch.from_numpy(load_photo(photo)).permute(2, 0, 1)
    if isinstance(photo, Image.Image):
        with naming(getattr(photo, "filename", "") or "PIL image"):
            return _rgb_of_pil(photo)
    if isinstance(photo, np.ndarray):
        return _rgb(_channels_first(photo))
    if isinstance(photo, Tensor):
        return _rgb(_with_channels(photo))
    raise PhotoError(f"a photo: expected a path, PIL image, array or tensor, found {type(photo).__name__}")


def _rgb_of_pil(image: Image.Image) -> UInt8[Tensor, "3 H W"]:
    """Decode, turn upright and reduce to eight bits and three channels."""
    rgb = _rgb(_channels_first(_array_of_pil(_upright(image))))
    return (rgb * 255).round().to(torch.uint8) if rgb.is_floating_point() else rgb


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; the photo itself, not a copy, where there is none."""
    image.load()  # a TIFF turns itself upright while loading, and forgets its orientation
    return ImageOps.exif_transpose(image) if image.getexif().get(ExifTags.Base.Orientation, 1) != 1 else image


def _array_of_pil(image: Image.Image) -> NDArray[Any]:
    """The pixels in the widest form that `_rgb` knows: gray of 16 bits or floats, RGBA, or RGB."""
    if image.mode.startswith("I;16"):
        return np.array(image).astype(np.uint16)
    if image.mode == "I":
        return _as_uint16(np.array(image))
    if image.mode == "F":
        return np.array(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return np.array(image if image.mode == mode else image.convert(mode))


def _as_uint16(gray: NDArray[np.int32]) -> NDArray[np.uint16]:
    """32-bit integers of a file that holds 16-bit values (Pillow's mode I)."""
    low, high = int(gray.min()), int(gray.max())
    if low < 0 or high > 65535:
        raise PhotoError(f"gray values: expected 0..65535, found {low}..{high}. Save it with 8 or 16 bits.")
    return gray.astype(np.uint16)


def _channels_first(array: NDArray[Any]) -> Tensor:
    """(H, W) or (H, W, C) -> (C, H, W), as a view where torch allows it."""
    gray_or_colored = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    usable_type = array.dtype.kind == "f" or (array.dtype.kind == "u" and array.dtype.itemsize <= 2)
    if not (gray_or_colored and usable_type and array.size):
        expected = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16 or floats in 0..1"
        raise PhotoError(f"a photo as an array: expected {expected}, found {array.dtype} {array.shape}")
    native = array.astype(_native(array.dtype), copy=False)
    writable = np.require(native, requirements=["C_CONTIGUOUS", "WRITEABLE"])  # torch knows no read-only
    tensor = torch.from_numpy(writable)
    return tensor[None] if array.ndim == 2 else tensor.permute(2, 0, 1)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same numbers in a type that torch has: this machine's byte order, at most 64 bits."""
    return np.dtype(np.float64) if dtype.itemsize > 8 else dtype.newbyteorder("=")


def _with_channels(tensor: Tensor) -> Tensor:
    """(H, W) or (C, H, W) -> (C, H, W)."""
    gray_or_colored = tensor.ndim == 2 or (tensor.ndim == 3 and len(tensor) in (1, 3, 4))
    usable_type = tensor.dtype in (torch.uint8, torch.uint16) or tensor.is_floating_point()
    if not (gray_or_colored and usable_type and tensor.numel()):
        expected = "(H, W), (1, H, W), (3, H, W) or (4, H, W) of uint8, uint16 or floats in 0..1"
        found = f"{tensor.dtype} {tuple(tensor.shape)}"
        several = " Pass several photos as a list." if tensor.ndim == 4 else ""
        raise PhotoError(f"a photo as a tensor: expected {expected}, found {found}.{several}")
    return tensor[None] if tensor.ndim == 2 else tensor


def _rgb(image: Tensor) -> Tensor:
    """(1, H, W), (3, H, W) or (4, H, W) of any depth -> (3, H, W) uint8, or float32 in 0..1."""
    if image.is_floating_point():
        image = _checked_floats(image)
    elif image.dtype == torch.uint16:
        image = (image.to(torch.int32) >> 8).to(torch.uint8)
    if len(image) == 4:
        return _over_white(image)
    return image.repeat(3, 1, 1) if len(image) == 1 else image


def _checked_floats(image: Tensor) -> Tensor:
    low, high = (float(bound) for bound in image.detach().aminmax())
    if not (low >= 0 and high <= 1):  # NaN, too
        advice = "Divide by the largest value that may occur, or clamp."
        raise PhotoError(f"a photo of floats: expected values in 0..1, found {low:g}..{high:g}. {advice}")
    return image.to(torch.float32)


def _over_white(rgba: Tensor) -> Tensor:
    """(4, H, W) -> (3, H, W): color · alpha + white · (1 − alpha)."""
    color, alpha = rgba[:3], rgba[3:]
    if rgba.is_floating_point():
        return color * alpha + (1 - alpha)
    color, alpha = color.to(torch.int32), alpha.to(torch.int32)
    return ((color * alpha + 255 * (255 - alpha) + 127) // 255).to(torch.uint8)


def to_pixels(image: Tensor) -> UInt8[NDArray[np.uint8], "H W 3"]:
    """What `to_image` gives, (3, H, W) uint8 or float in 0..1, as an array (H, W, 3) uint8."""
    if image.is_floating_point():
        image = (image * 255).round().to(torch.uint8)
    return np.ascontiguousarray(image.cpu().permute(1, 2, 0).numpy())


# ---------------------------------------------------------------- methods

ResultT = TypeVar("ResultT")


class _OfPhotos(Protocol[ResultT]):
    """One photo in, one result out; a list in, a list out; with boxes to look at, if there are any."""

    @overload
    def __call__(
        self, photos: list[Any] | tuple[Any, ...], /, proposals: list[Tensor] | None = None
    ) -> list[ResultT]: ...

    @overload
    def __call__(self, photos: Photo, /, proposals: Tensor | None = None) -> ResultT: ...


class _MethodOfPhotos(Protocol[ResultT]):
    """The same as a method, not yet bound to its object."""

    def __get__(self, instance: object, owner: type | None = None) -> _OfPhotos[ResultT]: ...


def accepts_photos(method: Callable[..., list[ResultT]]) -> _MethodOfPhotos[ResultT]:
    """Let a method that takes a list of (3, H, W) tensors take one photo, or a list, in any usual form.

    One photo gives one result; a list (or tuple) of photos gives a list, the empty list the empty list.
    `proposals`, where they are given, are a tensor for one photo and a list for several. What a photo may be
    is said at `to_image`, which raises PhotoError for anything else.
    """

    @wraps(method)
    def with_photos(
        self: object, photos: Photo | Sequence[Photo], /, proposals: Tensor | list[Tensor] | None = None
    ) -> ResultT | list[ResultT]:
        if not isinstance(photos, list | tuple):
            one = {} if proposals is None else {"proposals": [proposals]}
            return method(self, [to_image(cast(Photo, photos))], **one)[0]
        several = {} if proposals is None else {"proposals": proposals}
        return method(self, [to_image(photo) for photo in photos], **several) if photos else []

    return cast(_MethodOfPhotos[ResultT], with_photos)
