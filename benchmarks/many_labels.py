"""Labels of many photos in every format, for `check_labels.py`.

The photos are empty files, except beside label maps, whose sizes are compared with those of the photos.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import msgspec
import numpy as np
from PIL import Image, ImageDraw

CLASS_NAMES = tuple(f"class {letter}" for letter in "abcdefghijklmnopqrst")
WIDTH, HEIGHT = 640, 480
SPLITS = ("train", "val", "test")
POINTS = 20  # of each polygon
MAP_SCALE = 4  # label maps are written at a fourth of the size


@dataclass(frozen=True)
class Row:
    """A photo: its name, and class, x1, y1, x2, y2 and polygon (x, y per point) of each object."""

    index: int
    name: str
    split: str
    labels: list[int]
    boxes: list[list[int]]
    polygons: list[list[list[float]]]

    @property
    def stem(self) -> str:
        return self.name.removesuffix(".jpg")

    @property
    def objects(self) -> Iterator[tuple[str, list[int], list[list[float]]]]:
        """Class, box and polygon of each object. The polygon is empty in data sets of boxes."""
        for number, label in enumerate(self.labels):
            yield CLASS_NAMES[label], self.boxes[number], self.polygons[number] if self.polygons else []


Write: TypeAlias = Callable[[Path, Iterator[Row]], None]


def make_rows(num_photos: int, *, polygons: bool) -> Iterator[Row]:
    """Photos with 2 to 8 objects in random places."""
    rng = np.random.default_rng(0)
    for index in range(num_photos):
        count = int(rng.integers(2, 9))
        sides = rng.integers(12, 200, (count, 2))
        corners = (rng.random((count, 2)) * ((WIDTH, HEIGHT) - sides)).astype(int)
        split = ("train", "train", "train", "val", "test")[index % 5]
        boxes = np.concatenate([corners, corners + sides], axis=1).tolist()
        labels = rng.integers(0, len(CLASS_NAMES), count).tolist()
        outlines = _make_polygons(corners, sides, rng) if polygons else []
        yield Row(index, f"{rng.integers(16**8):08x}-{index:06d}.jpg", split, labels, boxes, outlines)


def _make_polygons(
    corners: np.ndarray, sides: np.ndarray, rng: np.random.Generator
) -> list[list[list[float]]]:
    """Stars of POINTS points that touch the sides of their boxes, with two decimals."""
    angles = np.arange(POINTS) * 2 * np.pi / POINTS
    radii = rng.uniform(0.7, 1, (len(corners), POINTS, 1))
    points = radii * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    placed = corners[:, None] + (points - low) / (high - low) * sides[:, None]
    return placed.round(2).tolist()


# ---------------------------------------------------------------- files


def _write_bytes(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except FileNotFoundError:  # only once per folder: it would double the time
        path.parent.mkdir(parents=True)
        path.write_bytes(content)


def _make_photo(path: Path) -> None:
    _write_bytes(path, b"")


def _write_json(path: Path, document: object) -> None:
    _write_bytes(path, msgspec.json.encode(document))


class _Lists:
    """A JSON list or object per file, written entry by entry."""

    def __init__(self, brackets: str = "[]") -> None:
        self._begin, self._end = brackets
        self._files: dict[Path, IO[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> _Lists:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.write(self._end.encode())
        self._stack.close()

    def add(self, path: Path, entry: object, key: str = "") -> None:
        """Add an entry to a file. key: that of the entry in an object"""
        is_first = path not in self._files
        if is_first:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files[path] = self._stack.enter_context(path.open("wb"))
        self._files[path].write((self._begin if is_first else ",").encode())
        self._files[path].write(msgspec.json.encode(key) + b":" if key else b"")
        self._files[path].write(msgspec.json.encode(entry))


# ---------------------------------------------------------------- formats


def write_coco(folder: Path, rows: Iterator[Row]) -> None:
    categories = [{"id": index + 1, "name": name} for index, name in enumerate(CLASS_NAMES)]
    images: dict[str, list[dict]] = {split: [] for split in SPLITS}
    annotations: dict[str, list[bytes]] = {split: [] for split in SPLITS}
    number = 0
    for row in rows:
        _make_photo(folder / "images" / row.split / row.name)
        images[row.split].append({"id": row.index, "file_name": row.name, "width": WIDTH, "height": HEIGHT})
        for name, (x1, y1, x2, y2), polygon in row.objects:
            number += 1
            annotation: dict[str, object] = {
                "id": number,
                "image_id": row.index,
                "category_id": CLASS_NAMES.index(name) + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": 0,
            }
            if polygon:
                annotation["segmentation"] = [[value for point in polygon for value in point]]
            annotations[row.split].append(msgspec.json.encode(annotation))
    for split in SPLITS:
        document = {
            "images": images[split],
            "annotations": [msgspec.Raw(annotation) for annotation in annotations[split]],
            "categories": categories,
        }
        _write_json(folder / "annotations" / f"instances_{split}.json", document)


def write_voc(folder: Path, rows: Iterator[Row]) -> None:
    listed: dict[str, list[str]] = {split: [] for split in SPLITS}
    for row in rows:
        _make_photo(folder / "JPEGImages" / row.name)
        listed[row.split].append(row.stem)
        objects = "".join(
            f"  <object>\n    <name>{name}</name>\n    <pose>Unspecified</pose>\n"
            "    <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>\n"
            f"      <xmin>{x1 + 1}</xmin>\n      <ymin>{y1 + 1}</ymin>\n"
            f"      <xmax>{x2}</xmax>\n      <ymax>{y2}</ymax>\n    </bndbox>\n  </object>\n"
            for name, (x1, y1, x2, y2), _ in row.objects
        )
        sides = f"    <width>{WIDTH}</width>\n    <height>{HEIGHT}</height>\n    <depth>3</depth>\n"
        head = f"<annotation>\n  <folder>JPEGImages</folder>\n  <filename>{row.name}</filename>\n"
        document = f"{head}  <size>\n{sides}  </size>\n{objects}</annotation>\n"
        _write_bytes(folder / "Annotations" / f"{row.stem}.xml", document.encode())
    for split, stems in listed.items():
        _write_bytes(folder / "ImageSets" / "Main" / f"{split}.txt", ("\n".join(stems) + "\n").encode())


def write_yolo(folder: Path, rows: Iterator[Row]) -> None:
    names = "".join(f"  {index}: {name}\n" for index, name in enumerate(CLASS_NAMES))
    splits = "".join(f"{split}: images/{split}\n" for split in SPLITS)
    _write_bytes(folder / "data.yaml", f"{splits}names:\n{names}".encode())
    for row in rows:
        _make_photo(folder / "images" / row.split / row.name)
        lines = []
        for name, (x1, y1, x2, y2), polygon in row.objects:
            values = [(x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT]
            if polygon:
                values = [value for x, y in polygon for value in (x / WIDTH, y / HEIGHT)]
            lines.append(f"{CLASS_NAMES.index(name)} {' '.join(f'{value:.6f}' for value in values)}\n")
        _write_bytes(folder / "labels" / row.split / f"{row.stem}.txt", "".join(lines).encode())


def write_cvat(folder: Path, rows: Iterator[Row]) -> None:
    folder.mkdir(parents=True)
    with (folder / "annotations.xml").open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
        for row in rows:
            _make_photo(folder / "images" / row.split / row.name)
            file.write(f'  <image id="{row.index}" name="{row.name}" subset="{row.split}" ')
            file.write(f'width="{WIDTH}" height="{HEIGHT}">\n')
            for name, (x1, y1, x2, y2), polygon in row.objects:
                kind, place = "box", f'xtl="{x1}" ytl="{y1}" xbr="{x2}" ybr="{y2}"'
                if polygon:
                    kind, place = "polygon", f'points="{";".join(f"{x:.2f},{y:.2f}" for x, y in polygon)}"'
                file.write(f'    <{kind} label="{name}" source="manual" occluded="0" {place} z_order="0">\n')
                file.write(f"    </{kind}>\n")
            file.write("  </image>\n")
        file.write("</annotations>\n")


def write_csv(folder: Path, rows: Iterator[Row]) -> None:
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    for row in rows:
        _make_photo(folder / "images" / row.split / row.name)
        lines[row.split] += [
            f"{row.name},{WIDTH},{HEIGHT},{name},{x1},{y1},{x2},{y2}\n"
            for name, (x1, y1, x2, y2), _ in row.objects
        ]
    heading = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    for split, of_split in lines.items():
        _write_bytes(folder / f"{split}_labels.csv", (heading + "".join(of_split)).encode())


def write_createml(folder: Path, rows: Iterator[Row]) -> None:
    with _Lists() as lists:
        for row in rows:
            _make_photo(folder / row.split / row.name)
            annotations = [
                {
                    "label": name,
                    "coordinates": {
                        "x": (x1 + x2) / 2,
                        "y": (y1 + y2) / 2,
                        "width": x2 - x1,
                        "height": y2 - y1,
                    },
                }
                for name, (x1, y1, x2, y2), _ in row.objects
            ]
            file = folder / row.split / "_annotations.createml.json"
            lists.add(file, {"image": row.name, "annotations": annotations})


def write_label_studio(folder: Path, rows: Iterator[Row]) -> None:
    with _Lists() as lists:
        for row in rows:
            _make_photo(folder / "images" / row.name)
            results = [_label_studio_result(number, *thing) for number, thing in enumerate(row.objects)]
            task = {
                "id": row.index + 1,
                "data": {"image": f"/data/upload/1/{row.name}"},
                "annotations": [{"id": row.index, "was_cancelled": False, "result": results}],
            }
            lists.add(folder / "project-1.json", task)


def _label_studio_result(number: int, name: str, box: list[int], polygon: list[list[float]]) -> object:
    x1, y1, x2, y2 = box
    kind = "polygonlabels" if polygon else "rectanglelabels"
    value: dict[str, object] = {
        "x": x1 / WIDTH * 100,
        "y": y1 / HEIGHT * 100,
        "width": (x2 - x1) / WIDTH * 100,
        "height": (y2 - y1) / HEIGHT * 100,
        "rotation": 0,
    }
    if polygon:
        value = {"points": [[x / WIDTH * 100, y / HEIGHT * 100] for x, y in polygon], "closed": True}
    return {
        "id": f"r{number}",
        "type": kind,
        "from_name": "label",
        "to_name": "image",
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": {**value, kind: [name]},
    }


def write_labelme(folder: Path, rows: Iterator[Row]) -> None:
    for row in rows:
        _make_photo(folder / row.split / row.name)
        shapes = [
            {
                "label": name,
                "points": polygon or [[x1, y1], [x2, y2]],
                "group_id": None,
                "description": "",
                "shape_type": "polygon" if polygon else "rectangle",
                "flags": {},
            }
            for name, (x1, y1, x2, y2), polygon in row.objects
        ]
        document = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": row.name,
            "imageData": None,
            "imageHeight": HEIGHT,
            "imageWidth": WIDTH,
        }
        _write_json(folder / row.split / f"{row.stem}.json", document)


def write_via(folder: Path, rows: Iterator[Row]) -> None:
    with _Lists("{}") as lists:
        for row in rows:
            _make_photo(folder / row.split / row.name)
            regions = [
                {"shape_attributes": _via_shape(box, polygon), "region_attributes": {"class": name}}
                for name, box, polygon in row.objects
            ]
            entry = {"filename": row.name, "size": 1000, "regions": regions, "file_attributes": {}}
            lists.add(folder / row.split / "via_region_data.json", entry, f"{row.name}1000")


def write_via_csv(folder: Path, rows: Iterator[Row]) -> None:
    columns = ("filename", "file_size", "file_attributes", "region_count", "region_id")
    heading = ",".join((*columns, "region_shape_attributes", "region_attributes")) + "\n"
    files: dict[str, io.StringIO] = {}
    for row in rows:
        _make_photo(folder / row.split / row.name)
        writer = csv.writer(files.setdefault(row.split, io.StringIO(heading)))
        files[row.split].seek(0, io.SEEK_END)
        for number, (name, box, polygon) in enumerate(row.objects):
            shape, kind = (
                msgspec.json.encode(entry).decode() for entry in (_via_shape(box, polygon), {"class": name})
            )
            writer.writerow((row.name, 1000, "{}", len(row.labels), number, shape, kind))
    for split, file in files.items():
        _write_bytes(folder / split / "via_region_data.csv", file.getvalue().encode())


def _via_shape(box: list[int], polygon: list[list[float]]) -> dict[str, object]:
    if polygon:
        xs, ys = zip(*polygon, strict=True)
        return {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
    x1, y1, x2, y2 = box
    return {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}


def write_label_maps(folder: Path, rows: Iterator[Row]) -> None:
    _write_bytes(folder / "classes.txt", "".join(f"{name}\n" for name in ("none", *CLASS_NAMES)).encode())
    photo = io.BytesIO()
    Image.new("RGB", (WIDTH // MAP_SCALE, HEIGHT // MAP_SCALE)).save(photo, "jpeg")
    for row in rows:
        _write_bytes(folder / "images" / row.split / row.name, photo.getvalue())
        label_map = Image.new("L", (WIDTH // MAP_SCALE, HEIGHT // MAP_SCALE))
        pen = ImageDraw.Draw(label_map)
        for name, _, polygon in row.objects:
            points = [(x / MAP_SCALE, y / MAP_SCALE) for x, y in polygon]
            pen.polygon(points, fill=CLASS_NAMES.index(name) + 1)
        png = io.BytesIO()
        label_map.save(png, "png", compress_level=1)
        _write_bytes(folder / "masks" / row.split / f"{row.stem}.png", png.getvalue())


def write_class_folders(folder: Path, rows: Iterator[Row]) -> None:
    for row in rows:
        path = folder / row.split / CLASS_NAMES[row.labels[0]] / row.name
        _write_bytes(path, row.name.encode())  # equal files would be copies


BOXES: dict[str, Write] = {
    "coco": write_coco,
    "createml": write_createml,
    "csv": write_csv,
    "cvat": write_cvat,
    "label-studio": write_label_studio,
    "labelme": write_labelme,
    "via": write_via,
    "via-csv": write_via_csv,
    "voc": write_voc,
    "yolo": write_yolo,
    "class-folders": write_class_folders,
}
POLYGONS: dict[str, Write] = {
    "coco": write_coco,
    "cvat": write_cvat,
    "label-studio": write_label_studio,
    "labelme": write_labelme,
    "via": write_via,
    "via-csv": write_via_csv,
    "yolo": write_yolo,
    "label-maps": write_label_maps,
}
