"""Write results as JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from boxmask.errors import OutputError
from boxmask.outputs import write_output


def save_json(document: dict[str, Any], path: Path) -> None:
    """Write a JSON file. Missing folders are created.

    Raises OutputError for NaN and infinity, which JSON cannot hold, and the errors of `write_output`.
    """
    try:
        content = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    except ValueError as error:
        raise OutputError(f"{path}: cannot be written, because a value is NaN or infinite.") from error
    with write_output(path) as temporary:
        # Lone surrogates, which stand for undecodable bytes of a file name, become escapes of JSON.
        temporary.write_bytes((content + "\n").encode("utf-8", "backslashreplace"))
