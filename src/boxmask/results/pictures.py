"""Write pictures as JPEG or PNG."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from boxmask.errors import OutputError, UsageError
from boxmask.outputs import write_output
from boxmask.outputs.marks import MARK, png_mark
from boxmask.visualization.style import RGBImage

JPEG_SUFFIXES = (".jpg", ".jpeg")
PNG_SUFFIXES = (".png",)
MAX_JPEG_SIDE = 65_500  # the limit of libjpeg
JPEG_QUALITY = 92  # keeps thin lines and small letters clean


def save_picture(picture: RGBImage, path: str | Path) -> None:
    """Write an RGB picture as JPEG or PNG, depending on the suffix of `path`. Missing folders are created.

    Raises UsageError for any other suffix, before anything is written, OutputError for a picture that is too
    large for JPEG, and the errors of `write_output`.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in JPEG_SUFFIXES + PNG_SUFFIXES:
        supported = ", ".join(JPEG_SUFFIXES + PNG_SUFFIXES)
        raise UsageError(
            f'{path}: cannot write a picture with the suffix "{suffix}". Use one of {supported}.'
        )
    height, width = picture.shape[:2]
    if suffix in JPEG_SUFFIXES and max(height, width) > MAX_JPEG_SIDE:
        raise OutputError(
            f"{path}: a JPEG file has at most {MAX_JPEG_SIDE:,} pixels per side, and this picture has "
            f"{width:,} x {height:,}. Save it as PNG, or make the photo smaller."
        )
    image = Image.fromarray(picture)
    with write_output(path) as temporary:
        if suffix in JPEG_SUFFIXES:
            image.save(temporary, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=MARK)
        else:
            image.save(temporary, "PNG", pnginfo=png_mark())
