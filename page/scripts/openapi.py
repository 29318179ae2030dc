"""A program: write the OpenAPI description of all routes, from which the types of the page are made."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from boxmask.serving.app import create_app
from boxmask.serving.options import ServeOptions


def description() -> dict[str, Any]:
    """The description without what changes with the version and with the models."""
    with tempfile.TemporaryDirectory() as empty:
        document = create_app([], ServeOptions(data=(Path(empty),), out=Path(empty))).openapi()
    return {key: value for key, value in document.items() if key != "info"} | {
        "info": {"title": "boxmask", "version": ""}
    }


if __name__ == "__main__":
    text = json.dumps(description(), indent=1, sort_keys=True)
    Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
