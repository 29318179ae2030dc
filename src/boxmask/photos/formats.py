"""The image formats that Pillow reads, without its limit of pixels, and HEIC.

`Image.open` refuses photos by a limit that is global to the program (`Image.MAX_IMAGE_PIXELS`) and warns from
half of it on. The limit here is MAX_PIXELS, and Pillow's own is neither used nor changed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import IO, TypeAlias

from PIL import Image, JpegImagePlugin, TiffImagePlugin

from boxmask.errors import PhotoError

MAX_PIXELS = 2**29
"""The maximum number of pixels in a photo, for example 23,170 × 23,170.

Decoding takes 7 bytes per pixel, 4 in Pillow and 3 in the array, and 4 more if the photo is stored rotated. A
photo of this size needs 3.8 to 6 GB, which an ordinary computer has. Its array stays below 2**31 bytes, too.
"""

TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns an image upright, by its EXIF orientation."""

SIDEWAYS = (5, 6, 7, 8)
"""The EXIF orientations that exchange height and width."""

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

WRONG_FORMAT_ERRORS = (SyntaxError, IndexError, TypeError, struct.error)
"""The exceptions of openers for a file in another format."""

Opener: TypeAlias = Callable[[IO[bytes], str], Image.Image]
"""A file and its name -> the image, its header read."""


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG as its first picture alone. The resolution, which may be in broken EXIF tags, is not read."""

    _read_dpi_from_exif = lambda self: None  # noqa: E731 (every photo passes here, and it does nothing)


class _Tiff(TiffImagePlugin.TiffImageFile):
    """A TIFF of any size. Pillow's own class checks Pillow's limit when it allocates the pixels."""

    def load_prepare(self) -> None:
        if getattr(self, "_im", None) is None and hasattr(self, "_tile_size"):
            self.im = Image.core.new(self.mode, self._tile_size)  # type: ignore[attr-defined]
        super().load_prepare()


OWN_OPENERS: dict[str, Opener] = {"JPEG": _Jpeg, "TIFF": _Tiff}
"""The openers that replace Pillow's, which are in `Image.OPEN`."""

Image.init()  # fills `Image.OPEN` with all formats, as `Image.open` does for a rare one


# ---------------------------------------------------------------------- HEIC

_HEIC_READER = "pillow_heif"  # pi_heif, which only decodes, crashes on damaged files
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def can_read_heic() -> bool:
    """Whether the package that reads HEIC is installed."""
    return find_spec(_HEIC_READER) is not None


def open_heic(file: IO[bytes], name: str) -> Image.Image | None:
    """Open a HEIC photo; None for another format. Raises PhotoError if the reader is not installed.

    The reader is not registered in Pillow, whose list of formats is global to the program.
    """
    file.seek(0)
    prefix = file.read(12)
    if prefix[4:8] != b"ftyp" or prefix[8:12] not in _HEIC_BRANDS:
        return None
    try:
        opener: Opener = import_module(_HEIC_READER).HeifImageFile
    except ImportError as error:
        advice = "Install its reader (pip install pillow-heif), or convert it to JPEG."
        raise PhotoError(f"this photo is HEIC. {advice}") from error
    file.seek(0)
    return opener(file, name)
