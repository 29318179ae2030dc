"""Messages about photos that cannot be read: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from boxmask.errors import PhotoError
from boxmask.file_kinds import is_video
from boxmask.photos.formats import DECODER_ERRORS, MAX_PIXELS


@contextmanager
def photo_errors(path: str | Path) -> Iterator[None]:
    """Turn the errors of reading a photo into a PhotoError that names the photo and says what to do.

    Wrap only file access and calls to Pillow: a bug in other code would be reported as a damaged photo.
    """
    try:
        yield
    except (PhotoError, *DECODER_ERRORS) as error:
        raise photo_error(path, error) from error


def photo_error(path: str | Path, error: Exception) -> PhotoError:
    """Return the PhotoError for an exception that was raised while a photo was read."""
    return PhotoError.in_file(path, _problem(Path(path), error))


def too_large(size: tuple[int, int]) -> str:
    """Say that a photo of (width, height) exceeds MAX_PIXELS."""
    return (
        f"this photo is too large ({size[0]:,} × {size[1]:,} pixels): at most {MAX_PIXELS / 1e6:.0f} million "
        "pixels are read. Scale it down, or cut it into tiles."
    )


def _problem(path: Path, error: Exception) -> str:
    match error:
        case PhotoError():
            return error.reason
        case FileNotFoundError() if path.is_symlink():
            return "this link leads nowhere. Restore the photo that it leads to, or remove the link."
        case FileNotFoundError():
            return "this photo does not exist. Check the path."
        case IsADirectoryError() | PermissionError() if path.is_dir():  # PermissionError on Windows
            return "expected a photo, found a folder."
        case PermissionError():
            return "no permission to read this photo. Change its permissions."
        case UnidentifiedImageError():
            return _why_no_image(path)
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            limit = f"in its format, at most {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels"
            return f"this photo is too large: {limit} are read. Scale it down, or convert it to JPEG or PNG."
        case MemoryError():
            return "not enough memory to decode this photo. Scale it down, or cut it into tiles."
    detail = f" ({error})" if str(error) else ""
    advice = "Replace it with an intact copy, or remove it and its labels."
    return f"this photo is damaged or truncated{detail}. {advice}"


def _why_no_image(path: Path) -> str:
    """What a file is that no reader of images knows."""
    if is_video(path.name):
        return (
            "this is a video, not a photo. Find objects in it with boxmask predict RUN VIDEO (in Python: "
            "boxmask.predict_video), or save its frames as photos (ffmpeg does so)."
        )
    if path.is_file() and not path.stat().st_size:
        return "this file is empty. Replace it with an intact copy, or remove it."
    advice = "Convert it to JPEG or PNG, or remove it."
    return f"this file is not an image, or its format is not supported. {advice}"
