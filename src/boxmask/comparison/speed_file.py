"""The record of the speeds of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from boxmask.comparison.contract import Speed
from boxmask.comparison.options import Form
from boxmask.outputs import write_output

SPEED = "speed.json"


def write_speeds(folder: Path, speeds: Mapping[Form, Speed]) -> None:
    """Write the speeds by form."""
    content = {form: asdict(speed) for form, speed in speeds.items()}
    with write_output(folder / SPEED) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_speeds(folder: Path) -> dict[Form, Speed]:
    """The speeds that were measured before, by form."""
    try:
        content = json.loads((folder / SPEED).read_text(encoding="utf-8"))
        return {form: Speed(**values) for form, values in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
