"""Kinds of findings that only the reader of YOLO labels adds."""

from __future__ import annotations

from boxmask.data.findings import Kind

COORDINATES_PIXELS = Kind(
    "coordinates-pixels",
    "error",
    "Labels in pixels instead of fractions of the photo",
    "Divide x and the width by the width of the photo, y and the height by its height.",
)
COORDINATES_UNCLEAR = Kind(
    "coordinates-unclear",
    "error",
    "Labels in percent or in pixels instead of fractions of the photo",
    "These numbers may be either, and only you can decide. If they are percent, divide all by 100. If they "
    "are pixels, divide x and the width by the width of the photo, y and the height by its height.",
)
FILE_UNIT_DIFFERS = Kind(
    "file-unit-differs",
    "error",
    "Label files in another unit than the others",
    "Write these numbers as fractions of the photo, as in the other files.",
)
CLASS_COUNT_DIFFERS = Kind(
    "class-count-differs",
    "warning",
    "Wrong class counts (nc) in data.yaml",
    "boxmask uses the names, whose number differs from nc. Correct nc, or complete the names.",
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
    "Correct these paths in data.yaml, or remove them.",
)
SPLIT_UNNAMED = Kind(
    "split-unnamed",
    "warning",
    "Labeled photos that data.yaml does not name",
    "boxmask leaves out photos that are in no split. Add their folders to data.yaml, or move them elsewhere.",
)
KEYPOINTS_UNUSED = Kind(
    "keypoints-unused",
    "note",
    "Keypoints that are not used",
    "boxmask does not learn keypoints. It uses the boxes of these labels.",
)
