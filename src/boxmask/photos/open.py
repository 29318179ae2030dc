"""Open an image file with Pillow, and turn what goes wrong into a PhotoError.

`Image.open` refuses photos by a limit that is global to the program (`Image.MAX_IMAGE_PIXELS`) and warns from
half of it on. The limit here is MAX_PIXELS, and Pillow's own is neither used nor changed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeAlias

from PIL import Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from boxmask.errors import PhotoError

MAX_PIXELS = 2**29
"""The most pixels of a photo that is read, for example 23,170 × 23,170.

Decoding takes 7 bytes per pixel, 4 in Pillow and 3 in the array, and 4 more if the photo is stored rotated. A
photo of this size needs 3.8 to 6 GB, which an ordinary computer has. Its array stays below 2**31 bytes, too.
"""

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_HEIC_READERS = ("pi_heif", "pillow_heif")  # pi_heif only decodes; its wheels hold no GPL code

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # in a program that turns warnings into errors
)
"""The exceptions that Pillow's decoders raise on damaged files. They include TypeError and AttributeError,
raised when a header announces data that the file does not contain."""

_Factory: TypeAlias = Callable[[IO[bytes], str], Image.Image]


@contextmanager
def open_image(path: str | Path) -> Iterator[Image.Image]:
    """Open an image file without decoding it; wrap what decodes it in `photo_errors`.

    Raises PhotoError, naming the file, if it is missing, damaged, not an image, or too large.
    """
    with ExitStack() as stack:
        with photo_errors(path):
            file = stack.enter_context(Path(path).open("rb"))
            image = stack.enter_context(_identify(file, str(path)))
            _check_size(image)
        yield image


@contextmanager
def photo_errors(path: str | Path) -> Iterator[None]:
    """Turn the errors of reading a photo into a PhotoError that names the photo and says what to do.

    Wrap only file access and calls to Pillow: a bug in other code would be reported as a damaged photo.
    """
    try:
        yield
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: this photo does not exist. Check the path.") from error
    except (IsADirectoryError, PermissionError) as error:  # Windows raises PermissionError for a folder
        denied = "no permission to read this photo. Change its permissions."
        problem = "expected a photo, found a folder." if Path(path).is_dir() else denied
        raise PhotoError(f"{path}: {problem}") from error
    except UnidentifiedImageError as error:
        problem = "this file is not an image, or its format is not supported."
        raise PhotoError(f"{path}: {problem} Convert it to JPEG or PNG, or remove it.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        problem = (
            f"this photo is too large: at most {pixels / 1e6:.0f} million pixels are read in its format."
        )
        raise PhotoError(f"{path}: {problem} Scale it down, or convert it to JPEG or PNG.") from error
    except MemoryError as error:
        advice = "Scale it down, or cut it into tiles."
        raise PhotoError(f"{path}: not enough memory to decode this photo. {advice}") from error
    except DECODER_ERRORS as error:
        advice = "Replace it with an intact copy, or remove it and its labels."
        detail = f" ({error})" if str(error) else ""
        raise PhotoError(f"{path}: this photo is damaged or truncated{detail}. {advice}") from error


def can_read_heic() -> bool:
    """Whether a package that reads HEIC is installed."""
    return _heic_factory() is not None


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"this photo is too large ({width:,} × {height:,} pixels): at most "
            f"{MAX_PIXELS / 1e6:.0f} million pixels are read. Scale it down, or cut it into tiles."
        )


# ---------------------------------------------------------------------- Pillow's formats


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG without what needs its EXIF tags, which may be broken: the resolution and further pictures."""

    def _read_dpi_from_exif(self) -> None:
        pass


class _Tiff(TiffImagePlugin.TiffImageFile):
    """A TIFF that Pillow decodes at any size: it checks its limit where it makes room for the pixels."""

    def load_prepare(self) -> None:
        if getattr(self, "_im", None) is None and hasattr(self, "_tile_size"):
            self.im = Image.core.new(self.mode, self._tile_size)  # type: ignore[attr-defined]
        super().load_prepare()


_OWN_FACTORIES: dict[str, _Factory] = {"JPEG": _Jpeg, "TIFF": _Tiff}


def _identify(file: IO[bytes], name: str) -> Image.Image:
    """The image in a file, its header read: what `Image.open` does, without its limit.

    Raises PhotoError for HEIC without a reader, and what Pillow raises.
    """
    prefix = file.read(16)
    tried: set[str] = set()
    for load_plugins in (Image.preinit, Image.init):  # the common formats first
        load_plugins()
        for format_name in [name for name in Image.ID if name not in tried]:
            tried.add(format_name)
            factory, accept = Image.OPEN[format_name]
            accepted = accept is None or accept(prefix)
            if accepted and not isinstance(accepted, str):  # a text says why this format cannot be read
                image = _try(_OWN_FACTORIES.get(format_name, factory), file, name)
                if image is not None:
                    return image
    if prefix[4:8] == b"ftyp" and prefix[8:12] in _HEIC_BRANDS:
        return _open_heic(file, name)
    raise UnidentifiedImageError


def _try(factory: _Factory, file: IO[bytes], name: str) -> Image.Image | None:
    """The image, or None if the file has another format."""
    file.seek(0)
    try:
        return factory(file, name)
    except (SyntaxError, IndexError, TypeError, struct.error):
        return None


# ---------------------------------------------------------------------- HEIC


def _heic_factory() -> _Factory | None:
    """Opens HEIC files; None if no reader is installed. Pillow's list of formats stays as it is."""
    for package in _HEIC_READERS:
        try:
            module: Any = import_module(package)
        except ImportError:
            continue
        factory: _Factory = module.HeifImageFile
        return factory
    return None


def _open_heic(file: IO[bytes], name: str) -> Image.Image:
    factory = _heic_factory()
    if factory is None:
        raise PhotoError("this photo is HEIC. Install a reader (pip install pi-heif), or convert it to JPEG.")
    file.seek(0)
    return factory(file, name)
