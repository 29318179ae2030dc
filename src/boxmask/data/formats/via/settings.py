"""The parts of a VIA 2 project around its annotations, as VIA 2 saves them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from boxmask.data.formats.json_writing import json_line

_VERSION = "2.0.10"
"""The version of the data format."""


def project(entries: Sequence[dict[str, Any]], class_attribute: str, class_names: Iterable[str]) -> str:
    """The text of a project, with one line per photo and one per region.

    entries:         of the photos
    class_attribute: the region attribute that is chosen from `class_names`
    """
    keys = [f"{entry['filename']}{entry['size']}" for entry in entries]
    images = ",\n".join(
        f"{json_line(key)}: {_entry_text(entry)}" for key, entry in zip(keys, entries, strict=True)
    )
    options = dict.fromkeys(class_names, "")
    of_class = {"type": "dropdown", "description": "", "options": options, "default_options": {}}
    regions = [region["region_attributes"] for entry in entries for region in entry["regions"]]
    attributes = {
        "region": {class_attribute: of_class} | _text_attributes(regions, class_attribute),
        "file": _text_attributes([entry["file_attributes"] for entry in entries]),
    }
    parts = {
        "_via_settings": json_line(_settings(class_attribute)),
        "_via_img_metadata": f"{{\n{images}\n}}",
        "_via_attributes": json_line(attributes),
        "_via_data_format_version": json_line(_VERSION),
        "_via_image_id_list": json_line(keys),
    }
    return "{" + ",\n".join(f"{json_line(name)}: {text}" for name, text in parts.items()) + "}\n"


def _entry_text(entry: dict[str, Any]) -> str:
    regions = ",\n".join(map(json_line, entry["regions"]))
    lines = f"[\n{regions}\n]" if regions else "[]"
    head = f'"filename": {json_line(entry["filename"])}, "size": {entry["size"]}'
    return f'{{{head}, "regions": {lines}, "file_attributes": {json_line(entry["file_attributes"])}}}'


def _text_attributes(holders: Iterable[dict[str, object]], class_attribute: str = "") -> dict[str, Any]:
    """Declare all attributes except the class as text fields."""
    names = dict.fromkeys(name for holder in holders for name in holder if name != class_attribute)
    return {name: {"type": "text", "description": "", "default_value": ""} for name in names}


def _settings(class_attribute: str) -> dict[str, Any]:
    grid = {
        "img_height": 80,
        "rshape_fill": "none",
        "rshape_fill_opacity": 0.3,
        "rshape_stroke": "yellow",
        "rshape_stroke_width": 2,
        "show_region_shape": True,
        "show_image_policy": "all",
    }
    image = {
        "region_label": class_attribute,
        "region_color": class_attribute,
        "region_label_font": "10px Sans",
        "on_image_annotation_editor_placement": "NEAR_REGION",
    }
    editor = {"annotation_editor_height": 25, "annotation_editor_fontsize": 0.8, "leftsidebar_width": 18}
    return {
        "ui": {**editor, "image_grid": grid, "image": image},
        "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
        "project": {"name": "boxmask"},
    }
