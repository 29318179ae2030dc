"""Label maps: an image per photo with the class of every pixel, and a list of the classes."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from damaged_data.sample import Photo, Place, Sample
from damaged_data.text_files import Lines
from damaged_data.writers.coco import all_names


class LabelMaps:
    """images/train/x.jpg, masks/train/x.png, classes.txt. Index 0 is the background."""

    NAME = "label-maps"

    def photo_file(self, photo: Photo) -> str:
        return f"images/{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        lines = Lines("classes.txt")
        for name in ("background", *all_names(sample)):
            lines.add(name, name)
        places = lines.write(folder)
        for photo in sample.photos:
            height, width = photo.label_size
            label_map = Image.new("L", (width, height), 0)
            pen = ImageDraw.Draw(label_map)
            for thing in photo.objects:
                pen.polygon(thing.outline, fill=sample.index(thing.name) + 1)
            file = f"masks/{photo.split}/{photo.stem}.png"
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            label_map.save(folder / file)
            places[photo] = Place(file)
        return places
