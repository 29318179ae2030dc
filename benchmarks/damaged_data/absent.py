"""Why a damage is not tried in a format."""

from __future__ import annotations

from collections.abc import Iterator

from damaged_data.damage import ALL_FORMATS, DAMAGES, Damage

NO_OBJECTS = ("label-maps", "class-folders")
_NO_SIZES = ("yolo", "via", "createml", *NO_OBJECTS)
_NO_OUTLINES = ("voc", "csv", "createml", *NO_OBJECTS)
_ONLY_PIXELS = ("yolo", "label-studio")


def _all_but(*formats: str) -> tuple[str, ...]:
    return tuple(name for name in ALL_FORMATS if name not in formats)


REASONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("box-inverted", ("labelme",), "a rectangle is two opposite corners in any order"),
    (
        "box-not-finite",
        ("label-studio",),
        "its numbers are percentages of a finite photo; it never writes NaN",
    ),
    ("class-count-differs", _all_but("yolo"), "no number of classes is declared"),
    ("class-shift, in COCO", _all_but("coco"), "its twin for COCO; classes of other formats have no ids"),
    ("class-shift", _all_but("yolo"), "classes are named, not numbered; COCO has a damage of its own"),
    ("class-missing-in-split", ("label-studio",), "it has no splits"),
    ("class-missing-in-split", ("class-folders",), "one class per photo: 30 photos are too few to tell"),
    ("class-imbalance", ("class-folders",), "one class per photo: 30 photos are too few to tell"),
    ("class-name-spellings", ("label-maps",), "a list of classes with a name twice is not read at all"),
    (
        "class-empty",
        _all_but("coco", "yolo", "cvat", "label-maps"),
        "the corpus lists no classes in this format",
    ),
    ("background-share", ("csv",), "it cannot name photos without objects"),
    ("background-share", ("label-maps",), "every pixel of a label map has a class"),
    ("background-share", ("class-folders",), "every photo has a class"),
    ("class-undeclared", ("via", "label-studio"), "the corpus lists no classes in this format"),
    ("class-undeclared", ("coco", "yolo"), "objects have the number of a class, which must have a name"),
    ("class-undeclared", _all_but("cvat", *NO_OBJECTS), "no classes are declared"),
    ("coordinates-sizes", ("labelme",), "a rectangle is two opposite corners in any order"),
    (
        "coordinates-sizes",
        ("coco", "yolo", "via", "label-studio", "createml"),
        "boxes have a width and a height",
    ),
    ("coordinates-centers", ("yolo", "createml"), "x and y are the center"),
    ("coordinates-upper-left", ("coco", "via", "label-studio"), "x and y are the upper left corner"),
    ("coordinates-centers", ("voc", "labelme", "cvat", "csv"), "boxes are corners"),
    ("coordinates-upper-left", ("voc", "labelme", "cvat", "csv"), "boxes are corners"),
    ("copies-labeled-differently, flipped", ("csv",), "it cannot name photos without objects"),
    ("coordinates-corners", ("label-studio",), "width and height are percentages beside x and y by name"),
    ("coordinates-corners, in YOLO", _all_but("yolo"), "its own damage: coordinates-corners"),
    ("coordinates-corners", ("yolo",), "its own damage: coordinates-corners, in YOLO"),
    ("coordinates-corners", ("voc", "labelme", "cvat", "csv"), "boxes are corners"),
    ("coordinates-percent, in YOLO", _all_but("yolo"), "its own damage: coordinates-percent"),
    ("coordinates-percent", ("yolo",), "its own damage: coordinates-percent, in YOLO"),
    ("coordinates-pixels", _all_but("yolo", "label-studio"), "coordinates are pixels"),
    ("coordinates-pixels", ("label-studio",), "numbers above 100 are boxes beyond their photo"),
    ("coordinates-unclear", _all_but("yolo", "label-studio"), "coordinates are pixels"),
    ("coordinates-unclear", ("label-studio",), "numbers are percent by definition"),
    (
        "file-unit-differs",
        _all_but("yolo"),
        "coordinates are not fractions; box-in-fractions finds those among pixels",
    ),
    ("coordinates-fractions", ("yolo",), "coordinates are fractions"),
    ("coordinates-fractions", ("label-studio",), "percentages below 1 are tiny boxes, which are found"),
    ("coordinates-", _ONLY_PIXELS, "coordinates do not depend on the size of the photo"),
    ("boxes-count-from-zero", _all_but("voc"), "no format but VOC counts pixels from 1"),
    ("photo-copies-across-splits", ("label-studio",), "it has no splits"),
    ("photo-near-copies-across-splits", ("label-studio",), "it has no splits"),
    (
        "copies-labeled-differently",
        ("label-maps",),
        "the pixels of two maps of one scene always differ a little",
    ),
    ("copies-labeled-differently", ("class-folders",), "its own error: photo-listed-twice"),
    ("group-across-splits", ("label-studio",), "it has no splits"),
    ("group-across-splits", ("class-folders",), "frames of one video have one class here, as the twin has"),
    ("entry-unreadable, no class", ("yolo",), "a line without a class has a number too few"),
    (
        "shape-unsupported",
        ("coco", "voc", "yolo", "csv", "createml"),
        "it has no shapes but boxes and polygons",
    ),
    ("shape-unsupported, a line", ("label-studio",), "it has no lines"),
    ("class-unknown", _all_but("yolo"), "classes are named, not numbered; COCO: id-unknown"),
    ("id-", _all_but("coco"), "it has no ids"),
    ("annotation-id-repeated", _all_but("coco"), "its objects have no ids"),
    (
        "file-unreadable, cut off",
        ("yolo", "csv"),
        "the first part of a text is a text; the last line is found",
    ),
    ("file-unreadable, empty", ("yolo",), "an empty file says that the photo shows no object"),
    ("name-inexact", ("yolo",), "labels do not name photos; the pair is missing"),
    ("photo-ambiguous", ("yolo", "labelme"), "photos lie in a known folder"),
    ("photo-listed-twice", ("yolo",), "each label file belongs to one photo by its name"),
    ("photo-listed-twice", ("csv",), "every object has a row with the photo, so several are usual"),
    ("label-file-shared", _all_but("yolo", "label-maps"), "labels name their photo with its suffix"),
    ("split-path-wrong", _all_but("yolo"), "no file gives the folders of the splits"),
    ("split-missing", _all_but("yolo"), "no file gives the folders of the splits"),
    ("split-unnamed", _all_but("yolo"), "no file gives the folders of the splits"),
    ("split-overlap", ("label-studio",), "it has no splits"),
    (
        "split-overlap",
        ("labelme", "via", "cvat", "createml", *NO_OBJECTS),
        "the folder of a photo is its split",
    ),
    ("label-map-", _all_but("label-maps"), "it has no label maps"),
    ("photo-missing, label map", _all_but("label-maps"), "it has no label maps"),
    ("outline-few-points", ("yolo",), "a line of four numbers is a box; see entry-unreadable"),
    ("outline-misfits-box", _all_but("coco"), "an object has a box or an outline, not both"),
    ("area-wrong", _all_but("coco"), "no area is declared"),
    ("hole-lost", _all_but("coco", *NO_OBJECTS), "an object of the corpus is one polygon"),
    ("outline-wrong-size", _all_but("coco"), "the corpus has run lengths in COCO only"),
    ("outline-empty, run lengths", _all_but("coco"), "the corpus has run lengths in COCO only"),
    ("outline-", _NO_OUTLINES, "the corpus has no outlines in this format"),
    ("hole-lost", NO_OBJECTS, "it has no outlines"),
    ("size-differs", ("yolo", "via", "createml", "class-folders"), "no size of the photo is declared"),
    ("size-differs", ("label-maps",), "its own damage: label-map-size"),
    ("photo-resized", _NO_SIZES, "no size of the photo is declared"),
    ("photo-resized", ("label-studio",), "coordinates are percentages, which resizing does not change"),
    ("exif-", _NO_SIZES, "no size of the photo is declared"),
    ("exif-", ("label-studio",), "it draws on the photo as shown, and percentages have no size"),
    ("name-inexact", ("class-folders",), "nothing names the photos"),
    ("photo-missing", ("label-maps",), "its own damage: label map without a photo"),
    ("photo-missing", ("class-folders",), "nothing names the photos"),
    ("photo-without-label", ("label-maps",), "its own damage: label-map-missing"),
    ("photo-without-label", ("class-folders",), "the folder is the label"),
    ("encoding-guessed", ("class-folders",), "it has no text files"),
    ("file-un", NO_OBJECTS, "it has no label files; classes.txt must be right to read anything"),
    ("photo-", NO_OBJECTS, "nothing names the photos"),
    ("", NO_OBJECTS, "it has no boxes and no entries"),
)
"""The beginning of a damage's name, formats, and why the damage does not occur or is not tried there. The
first row that fits counts."""


def absent_formats(damage: Damage) -> Iterator[tuple[str, str]]:
    """The formats in which a damage is not tried, each with the reason; "" if there is none."""
    for name in ALL_FORMATS:
        if name not in damage.formats:
            yield (
                name,
                next(
                    (
                        reason
                        for beginning, formats, reason in REASONS
                        if damage.name.startswith(beginning) and name in formats
                    ),
                    "",
                ),
            )


def print_list() -> None:
    """Print each damage with its formats, and why it is not tried in the others."""
    for damage in DAMAGES:
        print(f"{damage.name}: {', '.join(damage.formats)}")
        reasons: dict[str, list[str]] = {}
        for name, reason in absent_formats(damage):
            reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            print(f"    not in {', '.join(names)}: {reason or 'NO REASON'}")
