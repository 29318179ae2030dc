"""Small files that announce or expand to huge sizes. Each must end within the limits of time and memory."""

from __future__ import annotations

import bz2
import json
import struct
import zlib
from collections.abc import Callable

from fuzzing.archives import tar_of, zip_of
from fuzzing.drawing_tools import cvat_bomb, labelme_bomb, via_bomb
from fuzzing.inputs import Files
from fuzzing.seeds import coco, coco_set, encoded, gray, instance_maps, label_maps, voc_set, xml

MAX_SECONDS = 15.0  # of CPU time
MAX_MEMORY = 2 * 2**30
"""Bytes of address space beyond those in use at the start."""

SIDE = 46_341  # the square has 2³¹ pixels
HUGE = 10**9


def _png(width: int, height: int, depth: int = 8, color: int = 2) -> bytes:
    """A PNG that announces a size, and holds a few rows of zeros."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    rows = zlib.compress(bytes(2_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _resized(content: bytes, offsets: tuple[int, ...], form: str) -> bytes:
    """A picture whose header holds a huge size at the given offsets."""
    changed = bytearray(content)
    for offset in offsets:
        struct.pack_into(form, changed, offset, 65_535 if form.endswith("H") else SIDE)
    return bytes(changed)


def _jpeg() -> bytes:
    content = encoded(gray(1), "JPEG")
    frame = content.index(b"\xff\xc0")
    return _resized(content, (frame + 5, frame + 7), ">H")


def _gif() -> Files:
    return {"a.gif": _resized(encoded(gray(1, "P"), "GIF"), (6, 8), "<H")}


def _bmp() -> Files:
    return {"a.bmp": _resized(encoded(gray(1), "BMP"), (18, 22), "<I")}


def _many_objects(count: int) -> bytes:
    start, end = b"<object>", b"</object>"
    content = xml("a.jpg", "cat")
    one = content[content.index(start) : content.index(end) + len(end)]
    return b"<annotation>" + one * count + b"</annotation>"


def _objects(segmentation: object) -> Files:
    return coco_set([segmentation] * 3)


def _nested(opening: str, depth: int) -> bytes:
    return ('{"images": [], "categories": [], "annotations": ' + opening * depth).encode()


def _laughs(opening: str = "<annotation>") -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]>{opening}&e11;</annotation>'.encode()


def _sizes(width: object) -> Files:
    document = json.loads(coco([None, None, None]))
    for image in document["images"]:
        image["width"] = image["height"] = width
    return coco_set([None] * 3) | {"instances.json": json.dumps(document).encode()}


def _with_map(files: Files, depth: int) -> Files:
    """Label maps or instance maps, of which one announces 2³¹ pixels of `depth` bits."""
    name = next(name for name in files if name.startswith(("masks/", "labels/")))
    return {**files, name: _png(SIDE, SIDE, depth, 0)}


def _safetensors(header: object, length: int | None = None) -> Files:
    text = json.dumps(header).encode()
    content = (len(text) if length is None else length).to_bytes(8, "little") + text
    return {"a.safetensors": content, "resume.safetensors": content}


CIRCLE = [coordinate for n in range(500_000) for coordinate in (n % 16, (n // 16) % 12)]
COUNTS = {"size": [12, 16], "counts": [0, 1] * 500_000}
COUNTS_OF_HUGE = {"size": [HUGE, HUGE], "counts": [HUGE * HUGE]}


def _yolo(yaml: bytes, labels: bytes = b"0 0.5 0.5 0.5 0.5\n") -> Files:
    return {"a.png": encoded(gray(1)), "a.txt": b"0 0.5 0.5 0.5 0.5\n" + labels, "data.yaml": yaml}


YAML_LEVELS = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
YAML_LAUGHS = "\n".join(["train: .", "l0: &l0 [ha]", *YAML_LEVELS, "names: *l11"]).encode()
YOLO_NAMES = b"train: .\nnames: [cat]\n"
TABLE = b"filename,class,xmin,ymin,xmax,ymax\n"
CLASSES = b"".join(b"c%d\n" % n for n in range(100_000))


def _bz2_of_zeros() -> bytes:
    """Repeated streams count as one."""
    return tar_of({"a.txt": b""}, "w:bz2") + bz2.compress(bytes(10_000_000)) * 30


def _xz_with_huge_dictionary() -> bytes:
    """The header of a block says how large the dictionary is, in one byte."""
    content = bytearray(tar_of({"a.txt": b"x" * 1000}, "w:xz"))
    header = slice(12, 12 + 4 * (content[12] + 1))
    block = content[header]
    position = block.index(b"\x21\x01") + 2  # LZMA2, with one byte of properties
    block[position] = 37  # 1.5 GiB
    block[-4:] = zlib.crc32(block[:-4]).to_bytes(4, "little")
    content[header] = block
    return bytes(content)


TEXT = {"size": [12, 16], "counts": "oooooooooooooooo1" * 50_000}
TENSOR = {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}

BOMBS: dict[str, tuple[str, Callable[[], Files]]] = {
    "a PNG of 2^31 pixels": ("photo", lambda: {"a.png": _png(SIDE, SIDE)}),
    "a PNG just below the limit": ("photo", lambda: {"a.png": _png(23_000, 23_000)}),
    "a PNG of one row": ("photo", lambda: {"a.png": _png(2**31 - 1, 1)}),
    "a JPEG of 2^32 pixels": ("photo", lambda: {"a.jpg": _jpeg()}),
    "a GIF of 2^32 pixels": ("photo", _gif),
    "a BMP of 2^31 pixels": ("photo", _bmp),
    "a label map of 2^31 pixels": ("label-maps", lambda: _with_map(label_maps(b"a\nb\n"), 8)),
    "an instance map of 2^31 pixels": ("instance-maps", lambda: _with_map(instance_maps(), 16)),
    "a VOC set with such a photo": ("voc-set", lambda: voc_set() | {"a.png": _png(SIDE, SIDE)}),
    "a COCO set of such sizes": ("coco-set", lambda: _sizes(HUGE)),
    "a COCO set of sizes beyond 64 bits": ("coco-set", lambda: _sizes(10**300)),
    "run lengths of 10^9": ("coco-masks", lambda: _objects({"size": [12, 16], "counts": [0, HUGE]})),
    "a million run lengths": ("coco-masks", lambda: _objects(COUNTS)),
    "run lengths as long text": ("coco-masks", lambda: _objects(TEXT)),
    "run lengths of a huge photo": (
        "coco-masks",
        lambda: _objects(COUNTS_OF_HUGE),
    ),
    "a polygon of 500,000 points": ("coco-masks", lambda: _objects([CIRCLE])),
    "20,000 polygons": ("coco-masks", lambda: _objects([[1, 1, 5, 1, 5, 5]] * 20_000)),
    "a polygon far away": ("coco-masks", lambda: _objects([[0, 0, 1e300, 0, 1e300, 1e300]])),
    "a million nested lists": ("coco-document", lambda: {"instances.json": _nested("[", 1_000_000)}),
    "a million nested objects": ("coco-document", lambda: {"instances.json": _nested('{"a":', 1_000_000)}),
    "a number of a million digits": ("json", lambda: {"a.json": b"[" + b"9" * 1_000_000 + b"]"}),
    "a billion laughs": ("voc-file", lambda: {"a.xml": _laughs()}),
    "a million nested elements": ("voc-file", lambda: {"a.xml": b"<annotation>" + b"<a>" * 1_000_000}),
    "a text in 200,000 parts": ("voc-file", lambda: {"a.xml": xml("x<!---->" * 200_000, "cat")}),
    "50,000 objects": ("voc-file", lambda: {"a.xml": _many_objects(50_000)}),
    "a name of a million letters": ("voc-set", lambda: voc_set() | {"a.xml": xml("a.png", "c" * 1_000_000)}),
    "a list of 300,000 lines": ("text", lambda: {"names.txt": b"a\r\n" * 300_000}),
    "100,000 classes": ("classes-file", lambda: {"classes.txt": CLASSES}),
    "a LabelMe mask of 2^31 pixels": ("labelme-set", lambda: labelme_bomb(_png(SIDE, SIDE, 1, 0), SIDE)),
    "a LabelMe mask below the limit": ("labelme-set", lambda: labelme_bomb(_png(9000, 9000, 1, 0), 9000)),
    "a CVAT mask of 2^31 pixels": ("cvat-set", lambda: cvat_bomb(SIDE)),
    "a CVAT mask of 10^18 pixels": ("cvat-set", lambda: cvat_bomb(HUGE)),
    "CVAT with a billion laughs": ("cvat-set", lambda: {"a.xml": _laughs("<annotations><meta/>")}),
    "50,000 points of VIA": ("via-set", lambda: via_bomb(50_000)),
    "a billion laughs of YAML": ("yolo-set", lambda: _yolo(YAML_LAUGHS)),
    "a million nested lists of YAML": ("yolo-set", lambda: _yolo(b"names: " + b"[" * 900_000)),
    "a YAML of 2 MB": ("yolo-set", lambda: _yolo(b"names: [cat]\n#" + b"x" * 2_000_000)),
    "a billion classes": ("yolo-set", lambda: _yolo(b"train: .\nnc: 1000000000\n")),
    "a polygon of YOLO with 500,000 points": ("yolo-set", lambda: _yolo(YOLO_NAMES, b"0" + b" 0.5" * 10**6)),
    "200,000 boxes of YOLO": ("yolo-set", lambda: _yolo(YOLO_NAMES, b"0 .5 .5 .5 .5\n" * 200_000)),
    "a number of a million digits in YOLO": (
        "yolo-set",
        lambda: _yolo(YOLO_NAMES, b"0 .5 .5 .5 ." + b"9" * 10**6),
    ),
    "a CSV field of a million letters": ("csv-tables", lambda: {"a.csv": TABLE + b'a.png,"' + b"c" * 10**6}),
    "a CSV of 200,000 rows": ("csv-tables", lambda: {"a.csv": TABLE + b"a.png,cat,1,1,5,5\n" * 200_000}),
    "a ZIP of 300 MB of zeros": ("archives", lambda: {"a.zip": zip_of({"a.txt": bytes(300_000_000)})}),
    "a tar.gz of 300 MB of zeros": (
        "archives",
        lambda: {"a.tar.gz": tar_of({"a.txt": bytes(300_000_000)}, "w:gz")},
    ),
    "a tar.bz2 of 300 MB of zeros": ("archives", lambda: {"a.tar.bz2": _bz2_of_zeros()}),
    "a tar.xz with a dictionary of 1.5 GiB": ("archives", lambda: {"a.tar.xz": _xz_with_huge_dictionary()}),
    "a ZIP of 20,000 files": (
        "archives",
        lambda: {"a.zip": zip_of({f"{n}.txt": b"" for n in range(20_000)})},
    ),
    "a ZIP of folders in one another": ("archives", lambda: {"a.zip": zip_of({"a/" * 2000 + "a.txt": b"x"})}),
    "tensors of 2^62 bytes": ("safetensors", lambda: _safetensors({"a": TENSOR})),
    "a header of 2^62 bytes": ("safetensors", lambda: _safetensors({}, 2**62)),
}
"""For each, the target that reads it, and its files."""
