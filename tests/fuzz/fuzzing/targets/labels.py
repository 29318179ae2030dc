"""Readers of labels and splits. Each target also uses what it has read, as training would."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.table import CHECKS
from boxmask.data.classification.examine import examine_class_folders
from boxmask.data.classification.read import read_classification
from boxmask.data.correction.correct import PhotoPlace, correct, open_labels
from boxmask.data.correction.label_text import read_label_text
from boxmask.data.correction.objects import Shape, WantedObject
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.examine import examine
from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import coco, labelme, voc, yolo
from boxmask.data.formats.coco.document import read_document
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.formats.table import FORMATS
from boxmask.data.formats.voc.xml_file import read_voc_file
from boxmask.data.groups.choose import choose_splits
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.json_text import read_json
from boxmask.data.segmentation.classes_file import find_classes_file, read_classes_file
from boxmask.data.segmentation.examine import examine_label_maps
from boxmask.data.segmentation.read import read_segmentation
from boxmask.data.split_file import apply_split_file, read_split_file
from boxmask.data.text import read_beginning, read_lines
from boxmask.errors import LabelError


def text(folder: Path) -> None:
    path = folder / "names.txt"
    if path.is_file():
        read_beginning(path)
        for line in read_lines(path):
            line.encode("utf-8")


def json_file(folder: Path) -> None:
    path = folder / "a.json"
    if path.is_file():
        read_json(path)


def voc_file(folder: Path) -> None:
    if (folder / "a.xml").is_file():
        read_voc_file(folder, "a.xml", Findings())


def coco_document(folder: Path) -> None:
    document = read_document(folder, "instances.json", Findings())
    for key, entries in document.entries.lists.items() if document else ():
        for index in range(len(entries)):
            document.location(key, index)


def detection(folder: Path) -> None:
    """VOC, COCO and instance maps. Bad boxes are left out, so that the rest is used as well."""
    _use(read_detection(folder, on_bad_boxes="skip"))


def labels_in_folder(folder: Path) -> None:
    """Read labels with all their findings, outlines and locations, then use those that are in order."""
    source = find_source(folder)
    for formats in FORMATS:
        for form in formats:
            if files := form.recognize(source):
                _use_labels(form.read(source, files, findings := Findings()), findings)
    _check(lambda findings: examine(folder, findings))
    detection(folder)


def _check(examine_folder: Callable[[Findings], Examination]) -> None:
    """Examine and check labels as `boxmask check` does."""
    findings = Findings()
    with suppress(LabelError):
        examination = examine_folder(findings)
        for check in CHECKS:
            check(examination, findings)
    _print(tuple(map(str, findings)), findings.notes())


def _use_labels(labels: Labels, findings: Findings) -> None:
    root = labels.root.resolve()
    for photo in labels.photos:
        assert not photo.file.startswith(("/", "../"))
        assert photo.missing_name or (labels.root / photo.file).resolve().is_relative_to(root)
    for row in range(len(labels.photo_of)):
        str(labels.location(row)).encode("utf-8")
        with suppress(ValueError):
            if labels.outline is not None:
                labels.outline(row)
    assert ((labels.labels >= 0) & (labels.labels < len(labels.class_names))).all()
    _print(labels.class_names, tuple(map(str, findings)), findings.notes())


def split_file(folder: Path) -> None:
    dataset = read_detection(folder / "data", on_bad_boxes="skip")
    file = read_split_file(folder / "split.json")
    if file.draw:
        unsplit = replace(dataset, splits=np.full(len(dataset), "", dtype="<U5"))
        earlier = EarlierSplit(file, file.draw, "a run", read_from_here=True)
        _use(choose_splits(unsplit, earlier=[earlier]))
    _use(apply_split_file(dataset, file.path))


def label_maps(folder: Path) -> None:
    _check(lambda findings: examine_label_maps(folder, findings))
    dataset = read_segmentation(folder, on_unknown_colors="skip", on_bad_boxes="skip")
    for photo in range(len(dataset)):
        dataset.target(photo)
    dataset.fingerprint()
    _print(dataset.notes, dataset.class_names)


def classes_file(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            read_classes_file(path)
    find_classes_file(folder)


def class_folders(folder: Path) -> None:
    _check(lambda findings: examine_class_folders(folder, findings))
    dataset = read_classification(folder, on_bad_boxes="skip")
    _print(dataset.notes, dataset.class_names)


def _use(dataset: DetectionDataset) -> None:
    for photo in range(len(dataset)):
        target = dataset.target(photo)
        height, width = dataset.sizes[photo].tolist()
        assert np.isfinite(target.boxes.numpy()).all()
        assert (target.boxes.numpy() <= [width, height, width, height]).all()
        masks = dataset.masks(photo)
        if masks is not None:
            masks.dense()
    assert np.isfinite(dataset.areas).all()
    dataset.counts()
    dataset.fingerprint()
    _print(dataset.notes, dataset.class_names)


def _print(*groups: tuple[str, ...]) -> None:
    """Notes and names can be printed, and written to files."""
    for group in groups:
        for line in group:
            line.encode("utf-8")


def correct_labels(folder: Path) -> None:
    """Correct the first photo of each label file: remove an object, rename one, and add one.

    A correction holds what was wanted, or ends in an error, and a correction of nothing changes nothing.
    """
    numbers = {"cat": 0, "dog": 1, "0": 2}
    places = [
        PhotoPlace(form, path, (12, 16), numbers=numbers)
        for path in sorted(folder.rglob("*"))
        for form, suffix in ((coco, ".json"), (labelme, ".json"), (voc, ".xml"), (yolo, ".txt"))
        if path.suffix == suffix
    ]
    errors = []
    for place in places:
        try:
            _correct(place)
        except LabelError as error:
            errors.append(error)
    if errors and len(errors) == len(places):
        raise errors[0]


def _correct(place: PhotoPlace) -> None:
    text = read_label_text(place.file)
    labels = open_labels(place, text)
    same = [WantedObject(number, found.class_name) for number, found in enumerate(labels.objects)]
    assert correct(place, labels, text, same).content == place.file.read_bytes()
    added = WantedObject(None, same[0].class_name if same else "cat", Shape("box", ((1, 2), (9, 8))))
    renamed = [WantedObject(wanted.number, same[-1].class_name) for wanted in same[1:]]
    result = correct(place, labels, text, [*renamed, added])
    assert len(result.objects) == len(renamed) + 1


LABEL_TARGETS: dict[str, Callable[[Path], None]] = {
    "text": text,
    "json": json_file,
    "voc-file": voc_file,
    "voc-set": labels_in_folder,
    "coco-document": coco_document,
    "coco-set": labels_in_folder,
    "coco-masks": labels_in_folder,
    "instance-maps": labels_in_folder,
    "yolo-set": labels_in_folder,
    "csv-tables": labels_in_folder,
    "createml": labels_in_folder,
    "split-file": split_file,
    "label-maps": label_maps,
    "classes-file": classes_file,
    "class-folders": class_folders,
    "labelme-set": labels_in_folder,
    "correct": correct_labels,
    "via-set": labels_in_folder,
    "cvat-set": labels_in_folder,
    "label-studio-set": labels_in_folder,
}
