"""Pascal VOC: an XML file per photo. The top left pixel is (1, 1), and a box includes its last pixel."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from damaged_data.sample import Object, Photo, Place, Sample
from damaged_data.text_files import Lines, text


class Voc:
    """Annotations/x.xml, JPEGImages/x.jpg, ImageSets/Main/train.txt."""

    NAME = "voc"

    def photo_file(self, photo: Photo) -> str:
        return f"JPEGImages/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        places: dict[object, Place] = {}
        for photo in sample.photos:
            places |= _file(photo).write(folder)
            places[photo] = Place(f"Annotations/{photo.stem}.xml")
        for split in ("train", "val", "test"):
            names = Lines(f"ImageSets/Main/{split}.txt")
            for photo in sample.of_split(split):
                names.add(photo.stem, ("listed", photo))
            places |= names.write(folder)
        return places


def _file(photo: Photo) -> Lines:
    lines = Lines(f"Annotations/{photo.stem}.xml")
    height, width = photo.label_size
    lines.add("<annotation>")
    lines.add("  <folder>JPEGImages</folder>")
    lines.add(f"  <filename>{escape(photo.label_name)}</filename>")
    lines.add(f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>")
    lines.add("  <segmented>0</segmented>")
    for thing in photo.objects:
        lines.add(_object(thing), thing)
    lines.add("</annotation>")
    return lines


def _object(thing: Object) -> str:
    x1, y1, x2, y2 = thing.box
    corners = {"xmin": x1 + 1, "ymin": y1 + 1, "xmax": x2, "ymax": y2}
    return "\n".join(
        [
            "  <object>",
            f"    <name>{escape(thing.name)}</name>",
            "    <pose>Unspecified</pose>",
            "    <truncated>0</truncated>",
            "    <difficult>0</difficult>",
            "    <bndbox>",
            *(f"      <{key}>{text(value)}</{key}>" for key, value in corners.items()),
            "    </bndbox>",
            "  </object>",
        ]
    )
