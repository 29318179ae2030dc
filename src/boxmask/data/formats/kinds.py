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
    "Add the photos, or correct their names in the labels. If the photos lie elsewhere, give the "
    "folder that holds both photos and labels.",
)
PHOTO_AMBIGUOUS = Kind(
    "photo-ambiguous",
    "error",
    "Names that may mean several photos",
    "Write the folder of the photo into its label, or rename the photos.",
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
    "Names that differ from those of their photos",
    "Check that each name means this photo, and correct the name in the labels: other programs may not "
    "find the photo.",
)
PATH_ELSEWHERE = Kind(
    "path-elsewhere",
    "note",
    "Labels with paths of another folder or computer",
    "Nothing to do: boxmask finds these photos by their names. For other programs, write the names without "
    "these folders.",
)
ENCODING_GUESSED = Kind(
    "encoding-guessed",
    "note",
    "Label files that are not UTF-8",
    "Check the names in these files, and save the files as UTF-8.",
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
    "Label files that several photos share",
    "Rename these photos and give each one a label file, or keep only one of them.",
)
FILE_UNUSED = Kind(
    "file-unused",
    "note",
    "Label files that are not used",
    "To read one of these files instead, give its path to boxmask.",
)
SPLIT_OVERLAP = Kind(
    "split-overlap",
    "error",
    "Photos in more than one split",
    "Keep each photo in one split. If a split for validation was cut out of train, remove its list or "
    "folder, and boxmask draws one.",
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
    "Annotations of unknown images or categories",
    "Correct these ids, add the images or categories, or remove the annotations.",
)
VALUE_CONVERTED = Kind(
    "value-converted",
    "note",
    "Values that are not written as their format defines",
    "boxmask reads them as meant, but other programs may not. Write them as the format defines.",
)
PHOTO_RESIZED = Kind(
    "photo-resized",
    "warning",
    "Labels made for photos of another size, which boxmask scales to their photos",
    "Look at some of them (boxmask check DATA --html FILE). To avoid the scaling, export the labels for "
    "photos of this size.",
)
COORDINATES_PERCENT = Kind(
    "coordinates-percent",
    "error",
    "Coordinates in percent of the photo",
    "For a format in pixels, multiply x and width by the width of the photo, and y and height by its "
    "height, and divide by 100. For a format in fractions, as YOLO, divide by 100.",
)
COORDINATES_SCALED = Kind(
    "coordinates-scaled",
    "error",
    "Labels that seem to be made for photos of another size",
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
