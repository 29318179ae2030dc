"""Keep Pillow's remarks on metadata, such as broken EXIF tags, from the terminal."""

from __future__ import annotations

import warnings


def ignore_pillow_warnings() -> None:
    """Ignore warnings of Pillow in this process. It is for the program and its workers.

    The list of filters is global, so code that other programs import does not change it.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
