"""Kinds of findings that several readers of labels add."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Kind, Location

FILE_UNREADABLE = Kind(
    "file-unreadable",
    "error",
    "Label files that cannot be read",
    "Correct these files, export them again with the tool that made them, or remove them.",
)
ENTRY_UNREADABLE = Kind(
    "entry-unreadable",
    "error",
    "Entries that cannot be read",
    "Correct, complete or remove these entries.",
)
SHAPE_UNSUPPORTED = Kind(
    "shape-unsupported",
    "error",
    "Shapes that are neither boxes nor outlines",
    "Draw these objects as boxes, polygons or masks, or remove them. Points and lines have no area to learn.",
)
PHOTO_MISSING = Kind(
    "photo-missing",
    "error",
    "Labels of photos that do not exist",
    "Put the photos beside their labels or in a folder such as images/, or correct these names. A label map "
    "is named after its photo: images/x.jpg and masks/x.png, or x.jpg and x_mask.png.",
)
PHOTO_AMBIGUOUS = Kind(
    "photo-ambiguous",
    "error",
    "Names that may mean several photos",
    "Name the folders of each photo in its label, or keep only one of the photos in the data set.",
)
PHOTO_LISTED_TWICE = Kind(
    "photo-listed-twice",
    "error",
    "Photos that are labeled more than once",
    "Keep one entry, label file or class folder per photo. Remove the others, or correct the photos that "
    "they name.",
)
NAME_INEXACT = Kind(
    "name-inexact",
    "warning",
    "Names that are not spelled as the files that they mean",
    "Check that each name means this photo, and correct the spelling in the labels.",
)
ENCODING_GUESSED = Kind(
    "encoding-guessed",
    "note",
    "Label files that are not UTF-8",
    "Check the names in these files. Save the files as UTF-8.",
)


def report_encoding(path: Path, findings: Findings) -> Callable[[str], None]:
    """A function that adds why a file was read in another encoding than UTF-8."""
    return lambda note: findings.add(Finding(ENCODING_GUESSED, Location(str(path)), note))


CLASS_UNKNOWN = Kind(
    "class-unknown",
    "error",
    "Class numbers without a name",
    "Correct these numbers, or add the names of all classes in the order of their numbers.",
)
PHOTO_WITHOUT_LABEL = Kind(
    "photo-without-label",
    "note",
    "Photos without labels",
    "If these photos show objects, label them. In class folders, move them to the folder of their class.",
)
LABEL_FILE_SHARED = Kind(
    "label-file-shared",
    "error",
    "Label files that belong to several photos",
    "Rename these photos and give each one a label file, or keep only one of them.",
)
FILE_UNUSED = Kind(
    "file-unused",
    "note",
    "Label files that are not used",
    "To read one of these files instead, give it to boxmask.",
)
SPLIT_OVERLAP = Kind(
    "split-overlap",
    "error",
    "Photos in more than one split",
    "Keep each photo in one split. Without a list or folder for validation, boxmask draws its photos.",
)
ID_REPEATED = Kind(
    "id-repeated",
    "error",
    "Images or categories with the same id",
    "Give each image and each category a unique id.",
)
ANNOTATION_ID_REPEATED = Kind(
    "annotation-id-repeated",
    "warning",
    "Annotations with the same id",
    "All of them are used. Give each annotation a unique id, and remove copies.",
)
ID_UNKNOWN = Kind(
    "id-unknown",
    "error",
    "Annotations with the id of no image or category",
    "Correct these ids, add the images or categories, or remove the annotations.",
)
VALUE_CONVERTED = Kind(
    "value-converted",
    "note",
    "Values in another form than their format defines",
    "boxmask reads them as meant. Write them as the format defines: other programs may not read them.",
)
PHOTO_RESIZED = Kind(
    "photo-resized",
    "warning",
    "Labels made for another size of their photos, which are scaled to the photos",
    "Check some photos: boxmask evaluate --pictures draws the labels. To avoid the scaling, export the "
    "labels at the size of the photos.",
)
COORDINATES_PERCENT = Kind(
    "coordinates-percent",
    "error",
    "Coordinates in percent of the photo",
    "Write them as their format defines. For pixels, multiply x and the width by the width of the photo, y "
    "and the height by its height, and divide by 100. For fractions, as in YOLO, divide by 100.",
)
COORDINATES_SCALED = Kind(
    "coordinates-scaled",
    "error",
    "Labels that seem to be made for another size of their photos",
    "If the labels were made on copies of another size, scale them to the photos, or use these copies. If "
    "they fit the photos, correct or remove the sizes that they declare.",
)
LABEL_MAP_UNREADABLE = Kind(
    "label-map-unreadable",
    "error",
    "Label maps that cannot be read",
    "Export them again as PNG, or remove them with their photos. JPEG cannot be used: it blurs the borders "
    "between classes into colors of no class.",
)
LABEL_MAP_SIZE = Kind(
    "label-map-size",
    "error",
    "Label maps that differ in size from their photo",
    "A label map has one pixel for each pixel of its photo as shown, with the EXIF orientation applied. "
    "Export these at the size (width × height) of the photo, without smoothing.",
)
