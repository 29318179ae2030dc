"""Kinds of findings that only the reader of YOLO labels adds."""

from __future__ import annotations

from boxmask.data.findings import Kind

COORDINATES_PIXELS = Kind(
    "coordinates-pixels",
    "error",
    "Labels in pixels instead of fractions of the photo",
    "Divide x and the width by the width of the photo, y and the height by its height.",
)
CLASS_COUNT_DIFFERS = Kind(
    "class-count-differs",
    "warning",
    "Descriptions of data sets whose nc is not the number of their names",
    "Correct nc, or complete the names. boxmask uses the names.",
)
SPLIT_PATH_WRONG = Kind(
    "split-path-wrong",
    "error",
    "Wrong paths of splits",
    "Write the folders or lists of the photos, relative to the file that names them. boxmask does not guess "
    "which photos belong to a split.",
)
SPLIT_MISSING = Kind(
    "split-missing",
    "warning",
    "Splits whose folder or list does not exist",
    "Correct these paths, or remove them from the description of the data set.",
)
KEYPOINTS_UNUSED = Kind(
    "keypoints-unused",
    "note",
    "Labels with keypoints, of which only the boxes are used",
    "Nothing to do, unless you need the keypoints: boxmask does not learn them.",
)
