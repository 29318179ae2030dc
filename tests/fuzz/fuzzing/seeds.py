"""The seeds of the corpus: small valid inputs, some of them unusual."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import ExifTags, Image
from safetensors.torch import save

from boxmask.models.table import config_from_json, model_entry
from boxmask.outputs.manifest import manifest_of
from boxmask.outputs.marks import mark_document
from boxmask.pipeline.selective_search.modes import MODES
from boxmask.pipeline.selective_search.search import selective_search
from boxmask.results.json_file import save_json
from boxmask.results.pictures import save_picture
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import recipe_json, versions
from boxmask.weights.checkpoint import KEY, CheckpointMetadata
from fuzzing.archives import archive_seeds
from fuzzing.drawing_tools import drawing_tool_seeds
from fuzzing.inputs import Files
from fuzzing.label_studio import label_studio_seeds

SIZE = (12, 16)  # height, width


def all_seeds() -> dict[str, list[Files]]:
    """The seeds of each target."""
    detections = _results()
    labels = label_seeds()
    data_sets = [files for name in DATA_SETS for files in labels[name]]
    return {
        **labels,
        "archives": archive_seeds(coco_set([None] * 3)),
        "check": data_sets,
        "correct": [
            files for name in ("voc-set", "coco-set", "yolo-set", "labelme-set") for files in labels[name]
        ],
        "fix": data_sets,
        "convert": data_sets,
        "photo": _photos(),
        "proposals-cache": [_proposals()],
        "recipe": [_recipe()],
        "safetensors": [_safetensors()],
        "checkpoint": [_checkpoint()],
        "transfer": [_checkpoint()],
        "state-dict": _state_dicts(),
        "torchvision": _torchvision(),
        "training-log": [_log()],
        "command-line": [{"arguments.json": json.dumps(words).encode()} for words in _command_lines()],
        "write-coco": detections,
        "write-labelme": detections,
        "write-instance-map": detections[:1],
        "write-label-map": detections,
        "write-table": detections,
        "drawing": detections,
        "prediction": detections,
        "own-outputs": [_own_outputs()],
    }


def label_seeds() -> dict[str, list[Files]]:
    """The seeds of the targets that read labels."""
    return {
        "text": [{"names.txt": text} for text in _texts()],
        "json": [{"a.json": json.dumps({"a": [1, 2.5, "é"], "b": None}).encode()}],
        "voc-file": [{"a.xml": xml("a.jpg", "cat", encoding)} for encoding in ("UTF-8", "EUC-KR", "ANSI")],
        "voc-set": [voc_set(), _voc_set_with_lists()],
        "coco-document": [{"instances.json": coco(_polygons())}],
        "coco-set": [coco_set(_polygons()), coco_set(_run_lengths())],
        "coco-masks": [coco_set(_polygons()), coco_set(_run_lengths()), coco_set(_texts_of_runs())],
        "instance-maps": [instance_maps()],
        "yolo-set": _yolo_sets(),
        "csv-tables": _tables(),
        "createml": [_createml()],
        "split-file": [_split_file(), _drawn_split_file()],
        "label-maps": [label_maps(text) for text in (b"background\ncat\n", b"sky 000000\ncat 010101\n")],
        "classes-file": _classes_files(),
        "class-folders": [_class_folders()],
        **drawing_tool_seeds(),
        **label_studio_seeds(),
    }


DATA_SETS = (
    "voc-set",
    "coco-set",
    "instance-maps",
    "yolo-set",
    "csv-tables",
    "createml",
    "labelme-set",
    "via-set",
    "cvat-set",
    "label-studio-set",
    "label-maps",
    "class-folders",
)
"""Targets whose seeds are whole data sets."""


# ---------------------------------------------------------------- photos


def gray(number: int, mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    pixels = np.full((*size, 3), 20 * number + 60, np.uint8)
    pixels[2:6, 3:9] = (200, 30 * number % 255, 90)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _photos() -> list[Files]:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    sixteen = Image.fromarray(np.arange(192, dtype=np.uint16).reshape(SIZE) * 300)
    rgb, palette, alpha = gray(1), gray(2, "P"), gray(3, "RGBA")
    return [
        {"a.jpg": encoded(rgb, "JPEG")},
        {"a.jpg": encoded(rgb, "JPEG", exif=exif, progressive=True)},
        {"a.png": encoded(rgb, exif=exif)},
        {"a.png": encoded(alpha)},
        {"a.png": encoded(palette, transparency=0)},
        {"a.png": encoded(sixteen)},
        {"a.gif": encoded(palette, "GIF", save_all=True, append_images=[gray(3, "P")])},
        {"a.tif": encoded(rgb, "TIFF", compression="tiff_lzw")},
        {"a.tif": encoded(sixteen, "TIFF")},
        {"a.webp": encoded(rgb, "WEBP", exif=exif)},
        {"a.bmp": encoded(rgb, "BMP")},
        {"a.png": encoded(gray(1, "1"))},
        {"a.jpg": encoded(rgb.convert("CMYK"), "JPEG")},
    ]


def _proposals() -> Files:
    photo = gray(1, size=(48, 64))
    boxes = selective_search(np.array(photo), MODES["single"])
    buffer = io.BytesIO()
    np.save(buffer, boxes.numpy())
    return {"a.png": encoded(photo), "boxes.npy": buffer.getvalue()}


# ---------------------------------------------------------------- labels


def _texts() -> list[bytes]:
    return [b"a\nb.jpg\ncam1/c\n", "상자\n".encode("cp949"), "é\r\nü\r\n".encode("utf-16")]


def xml(photo: str, name: str, encoding: str = "") -> bytes:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n' if encoding else ""
    box = "<bndbox><xmin>3</xmin><ymin>2</ymin><xmax>9</xmax><ymax>7</ymax></bndbox>"
    return (
        f"{declaration}<annotation><filename>{photo}</filename>\n"
        "<size><width>16</width><height>12</height><depth>3</depth></size>\n"
        f"<object><name>{name}</name><difficult>0</difficult>{box}</object>\n"
        f"<object><name>dog</name>{box}</object></annotation>\n"
    ).encode()


def voc_set() -> Files:
    photos = {f"{name}.png": encoded(gray(number)) for number, name in enumerate("abc")}
    return photos | {f"{name}.xml": xml(f"{name}.png", "cat") for name in "abc"}


def _voc_set_with_lists() -> Files:
    files = {f"JPEGImages/{name}": content for name, content in voc_set().items() if name.endswith("png")}
    files |= {f"Annotations/{name}.xml": xml(f"{name}.png", "cat") for name in "abc"}
    return files | {"ImageSets/Main/train.txt": b"a\nb\n", "ImageSets/Main/val.txt": b"c\n"}


def _polygons() -> list[Any]:
    return [[[3, 2, 9, 2, 9, 7, 3.5, 7.25]], [[1, 1, 5, 1, 5, 5], [8, 8, 12, 8, 12, 11]], []]


def _run_lengths() -> list[Any]:
    return [{"size": [12, 16], "counts": [38, 4, 8, 4, 138]}, None, {"size": [12, 16], "counts": [0, 192]}]


def _texts_of_runs() -> list[Any]:
    from hotcoco import mask

    dense = np.zeros(SIZE, np.uint8, order="F")
    dense[2:7, 3:9] = 1
    packed = mask.encode(np.asfortranarray(dense))
    return [{"size": list(packed["size"]), "counts": packed["counts"].decode("ascii")}] * 3


def coco(segmentations: list[Any]) -> bytes:
    images = [
        {"id": i, "file_name": f"{name}.png", "width": 16, "height": 12} for i, name in enumerate("abc", 1)
    ]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1 + i % 2, "bbox": [3, 2, 6.5, 5], "area": 32.5, "iscrowd": 0}
        | ({"segmentation": segmentation} if segmentation is not None else {})
        for i, segmentation in enumerate(segmentations, 1)
    ]
    categories = [{"id": 1, "name": "cat", "supercategory": "pet"}, {"id": 2, "name": "dog"}]
    return json.dumps(
        {"images": images, "annotations": annotations, "categories": categories}, indent=1
    ).encode()


def coco_set(segmentations: list[Any]) -> Files:
    photos = {f"{name}.png": encoded(gray(number)) for number, name in enumerate("abc")}
    return photos | {"instances.json": coco(segmentations)}


def instance_maps() -> Files:
    files: Files = {"classes.txt": b"cat\n"}
    for number, name in enumerate("ab"):
        objects = np.zeros(SIZE, np.uint16)
        objects[2:6, 3:9], objects[8:10, 1:4] = 1, 300 + number
        files |= {f"images/{name}.png": encoded(gray(number))}
        files |= {f"labels/{name}.png": encoded(Image.fromarray(objects))}
    return files


def _pictures(*names: str) -> Files:
    return {name: encoded(gray(number)) for number, name in enumerate(names)}


def _yolo_sets() -> list[Files]:
    box, polygon = b"0 0.5 0.5 0.5 0.25\n", b"1 0.1 0.2 0.9 0.2 0.9 0.8 0.1 0.8\n"
    pose = b"0 0.5 0.5 0.5 0.5 0.4 0.4 2 0.6 0.6 1\n"
    yaml = b"path: ../data\ntrain: ../images/train\nval: images/val\nnc: 2\nnames: {0: cat, 1: 'dog'}\n"
    folders = _pictures("images/train/a.png", "images/train/b.png", "images/val/c.png")
    folders |= {"labels/train/a.txt": box + polygon, "labels/train/b.txt": b"", "labels/val/c.txt": box}
    flat = _pictures("a.png", "b.png") | {"a.txt": box, "b.txt": polygon, "classes.txt": b"cat\ndog\n"}
    darknet = _pictures("obj_train_data/a.png") | {"obj_train_data/a.txt": box, "obj.names": b"cat\n"}
    darknet |= {"obj.data": b"classes = 1\ntrain = data/train.txt\nnames = data/obj.names\n"}
    keypoints = _pictures("images/a.png") | {"labels/a.txt": pose}
    keypoints |= {"data.yaml": b"train: images\nnames: [person]\nkpt_shape: [2, 3]\n"}
    return [
        folders | {"data.yaml": yaml},
        flat | {"train.txt": b"./a.png\n", "val.txt": b"/home/me/data/b.png\n"},
        darknet | {"train.txt": b"data/obj_train_data/a.png\n"},
        keypoints,
    ]


def _tables() -> list[Files]:
    pictures = _pictures("images/a.png", "images/b.png")
    tensorflow = b"filename,width,height,class,xmin,ymin,xmax,ymax\n"
    open_images = (
        b"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"
    )
    return [
        pictures | {"train.csv": tensorflow + b"a.png,16,12,cat,3,2,9,7\nb.png,16,12,dog,0,0,16,12.5\n"},
        pictures
        | {
            "validation-annotations-bbox.csv": open_images + b"a,xclick,/m/1,1,0.1,0.5,0.2,0.8,1,0,0\n",
            "class-descriptions.csv": b"/m/1,Cat\n",
        },
        pictures | {"a.csv": b"images/a.png,3,2,9,7,cat\nimages/b.png,,,,,\n", "classes.csv": b"cat,0\n"},
    ]


def _createml() -> Files:
    annotation = {"label": "cat", "coordinates": {"x": 6, "y": 4.5, "width": 6, "height": 5}}
    content = [{"image": "a.png", "annotations": [annotation]}, {"image": "b.png", "annotations": []}]
    return _pictures("a.png", "b.png") | {"annotations.json": json.dumps(content, indent=1).encode()}


def _split_file() -> Files:
    files = {f"data/{name}": content for name, content in voc_set().items()}
    split = {"train": ["a.png"], "val": ["b.png"], "test": ["c.png"]}
    return files | {"split.json": json.dumps(split).encode()}


def _drawn_split_file() -> Files:
    files = _split_file()
    drawn = {
        "seed": 0,
        "shares": {"test": 0.2, "val": 0.1},
        "group_by": "name",
        "vanished": {"val": ["z.png"]},
    }
    split = {"train": ["a.png"], "val": ["b.png"], "contents": {"a.png": "1-f"}, "drawn": drawn}
    return files | {"split.json": json.dumps(split).encode()}


def label_maps(classes: bytes) -> Files:
    files: Files = {"classes.txt": classes}
    for number, name in enumerate("ab"):
        labels = np.zeros(SIZE, np.uint8)
        labels[2:6, 3:9] = 1
        files |= {f"images/{name}.png": encoded(gray(number))}
        files |= {f"masks/{name}.png": encoded(Image.fromarray(labels))}
    return files


def _classes_files() -> list[Files]:
    return [
        {"classes.txt": b"Building 3C1098\nLand with trees #8429F6 ignore\n"},
        {"classes.txt": "나무\n자동차\n".encode()},
        {"classes.csv": b"name,r,g,b\nBuilding,60,16,152\nLand,132,41,246,ignore\n"},
        {"classes.csv": b"Building,7\nLand,8\n"},
        {"classes.json": json.dumps({"a": "3C1098", "b": [132, 41, 246], "c": {"index": 3}}).encode()},
        {"classes.json": json.dumps(["a", {"name": "b", "color": "#010203", "ignore": True}]).encode()},
        {"labelmap.txt": b"# label:color_rgb:parts:actions\nbackground:0,0,0::\nsquare:128,0,0::\n"},
    ]


def _class_folders() -> Files:
    return {
        f"{split}/{name}/{number}.png": encoded(gray(number + 2 * (name == "cat") + 4 * (split == "val")))
        for split in ("train", "val")
        for name in ("cat", "dog")
        for number in range(2)
    }


# ---------------------------------------------------------------- runs and weights


def _recipe() -> Files:
    content = recipe_json(Recipe(epochs=1, model_options=("nms_iou=0.4",)), Path("/data/photos"), "0123")
    return {"recipe.json": json.dumps(content, indent=1).encode()}


def _metadata() -> CheckpointMetadata:
    entry = model_entry("classifier")
    config = entry.config(
        class_names=("cat", "dog"), **{**entry.presets["default"], "backbone": "test_resnet"}
    )
    counters = {"stage": 1, "earlier_seconds": 3.5, "minutes": 0.5, "best": 0.5, "num_validated": 1}
    progress = {"step": 3, "seconds": 30.5, "recipe": {}}
    return CheckpointMetadata("classifier", asdict(config), "0123", versions(), counters, progress)


def _safetensors() -> Files:
    tensors = {"a.weight": torch.zeros(2, 3), "a.bias": torch.ones(2), "n": torch.tensor(3)}
    content = save(tensors, {KEY: json.dumps(asdict(_metadata()))})
    return {"a.safetensors": content, "resume.safetensors": content}


def _checkpoint() -> Files:
    metadata = _metadata()
    entry = model_entry("classifier")
    config = config_from_json("classifier", json.loads(json.dumps(metadata.config)))
    content = save(
        {name: tensor.contiguous() for name, tensor in entry.build(config, None).state_dict().items()}
    )
    length = int.from_bytes(content[:8], "little")
    return {
        "metadata.json": json.dumps(asdict(metadata)).encode(),
        "tensors.json": content[8 : 8 + length].strip(),
    }


def _state_dicts() -> list[Files]:
    lite = {f"_blocks.{block}._bn1.bias": torch.zeros(2) for block in range(16)} | {
        "_conv_stem.weight": torch.zeros(2)
    }
    state = {"a.weight": torch.zeros(2, 3), "a.bias": torch.ones(2)}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.pth"
        torch.save({"state_dict": state, "epoch": 3}, path)
        nested = path.read_bytes()
        torch.save(state, path, _use_new_zipfile_serialization=False)
        old = path.read_bytes()
    return [{"a.pth": nested}, {"a.pth": old}, {"a.safetensors": save(state)}, {"a.safetensors": save(lite)}]


def _torchvision() -> list[Files]:
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    heads = {
        "fasterrcnn_resnet50_fpn": {
            "roi_heads.box_predictor.cls_score.bias": [3],
            "roi_heads.box_predictor.cls_score.weight": [3, 8],
        },
        "retinanet_resnet50_fpn": {
            "head.classification_head.cls_logits.bias": [27],
            "head.regression_head.bbox_reg.bias": [36],
        },
        "ssdlite320_mobilenet_v3_large": {
            name: list(tensor.shape)
            for name, tensor in ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
            .state_dict()
            .items()
            if "head" in name and ".5." in name
        },
    }
    return [
        {"state.json": json.dumps({"name": name, "shapes": shapes}).encode()}
        for name, shapes in heads.items()
    ]


def _log() -> Files:
    rows: list[dict[str, Any]] = [
        {"stage": "training", "step": 5, "minutes": 0.1, "box": 0.5, "images_per_second": 3.0},
        {"stage": "training", "step": 10, "minutes": 0.2, "box": 0.25, "images_per_second": 3.0},
        {"stage": "training", "step": 10, "minutes": 0.3, "val": {"AP": 0.5, "AP50": None, "images": 4}},
    ]
    return {"log.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()}


def _command_lines() -> list[list[str]]:
    return [
        [
            "train",
            "data",
            "--model",
            "unet",
            "--max-minutes",
            "1.5",
            "--scale",
            "0.5",
            "1.5",
            "--workers",
            "0",
        ],
        ["train", "data", "--model-option", "nms_iou=0.4", "--seed", "3", "--split-file", "split.json"],
        ["evaluate", "run", "data", "--split", "val", "--json", "-", "--svd", "128", "64"],
        ["predict", "run", "a.jpg", "b.jpg", "--save", "jpg,coco", "--min-score", "0.3"],
        ["proposals", "data", "--mode", "fast", "--limit", "100"],
    ]


# ---------------------------------------------------------------- results


def _own_outputs() -> Files:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_json(mark_document({"a": [1]}, "info"), folder / "a.json")
        save_picture(np.full((9, 9, 3), 9, np.uint8), folder / "a.png")
        manifest_of(folder).begin_job(["a.json", "a.png"])
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _results() -> list[Files]:
    objects = [[1, 2, 9, 8, 0.9, 0], [3, 3, 14.5, 11.25, 0.5, 1], [0, 0, 16, 12, 0.25, 0]]
    described = [
        {
            "photo": "a.png",
            "size": [12, 16],
            "class_names": ["cat", "dog"],
            "objects": objects,
            "has_masks": True,
        },
        {
            "photo": "상자 é.png",
            "size": [40, 30],
            "class_names": ["고양이", "箱"],
            "objects": objects,
            "has_masks": False,
        },
        {
            "photo": "x/" + "long" * 20 + ".png",
            "size": [1, 1],
            "class_names": ["a"],
            "objects": [],
            "has_masks": True,
        },
    ]
    return [{"result.json": json.dumps(content, ensure_ascii=False).encode()} for content in described]
