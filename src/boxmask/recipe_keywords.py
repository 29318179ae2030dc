"""Keyword arguments of the public functions as fields of a recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def recipe_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a recipe, as its types expect them, from what users may give."""
    from boxmask.data.class_selection import as_renames

    fields = dict(options)
    if isinstance(values := fields.get("model_options"), Mapping):
        fields["model_options"] = tuple(f"{name}={value!r}" for name, value in values.items())
    if fields.get("classes") is not None:
        fields["classes"] = tuple(fields["classes"])
    if "map" in fields:
        fields["map"] = as_renames(fields["map"])
    if fields.get("init") is not None:
        fields["init"] = str(os.fspath(fields["init"]))
    if "log_with" in fields:
        names = fields["log_with"]
        fields["log_with"] = (names,) if isinstance(names, str) else tuple(names)
    for name in ("detector", "classifier", "split_file", "classes_file"):
        if fields.get(name) is not None:
            fields[name] = Path(fields[name])
    if "device" in fields:
        fields["device"] = str(fields["device"])  # a torch.device will do, too; recipe.json holds text
    return fields
