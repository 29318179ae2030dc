"""CVAT XML for images, version 1.1."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Lines, text
from damaged_data.writers.coco import all_names

_TAGS = {"polygon": "polygon", "point": "points", "line": "polyline"}


class Cvat:
    """annotations.xml, images/train/x.jpg."""

    NAME = "cvat"

    def photo_file(self, photo: Photo) -> str:
        return f"images/{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        lines = Lines("annotations.xml")
        lines.add('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>')
        lines.add("  <meta><project><labels>")
        for name in all_names(sample):
            lines.add(f"    <label><name>{escape(name)}</name><type>any</type></label>", name)
        lines.add("  </labels><tasks>")
        for split in ("train", "val", "test"):
            lines.add(f"    <task><subset>{split}</subset></task>")
        lines.add("  </tasks></project></meta>")
        for index, photo in enumerate(sample.photos):
            height, width = photo.label_size
            first = len(lines.lines) + 1
            lines.add(
                f'  <image id="{index}" name={quoteattr(photo.label_name)} subset="{photo.split}" '
                f'task_id="1" width="{width}" height="{height}">'
            )
            for thing in photo.objects:
                lines.add(_shape(thing), thing)
            lines.add("  </image>")
            lines.mark(first, [photo])
        lines.add("</annotations>")
        return lines.write(folder)


def _shape(thing: Object) -> str:
    name = f'label={quoteattr(thing.name)} source="manual" occluded="0"'
    if thing.shape == "box":
        sides = zip(("xtl", "ytl", "xbr", "ybr"), thing.box, strict=True)
        corners = " ".join(f'{side}="{text(value)}"' for side, value in sides)
        return f'    <box {name} {corners} z_order="0"/>'
    points = ";".join(f"{text(x)},{text(y)}" for x, y in thing.outline)
    return f'    <{_TAGS[thing.shape]} {name} points="{points}" z_order="0"/>'
