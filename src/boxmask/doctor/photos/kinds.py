"""Kinds of findings about photos."""

from __future__ import annotations

from boxmask.data.findings import Kind

PHOTO_UNREADABLE = Kind(
    "photo-unreadable",
    "error",
    "Photos that cannot be read",
    "Replace them with intact copies, convert them to JPEG or PNG, or remove them and their labels.",
)
PHOTO_TRUNCATED = Kind(
    "photo-truncated",
    "error",
    "Photos that are truncated or damaged",
    "Copy or download these files again, or remove them and their labels.",
)
PHOTO_WRONG_SUFFIX = Kind(
    "photo-wrong-suffix",
    "warning",
    "Photos whose suffix does not fit their format",
    "Rename them, in the labels as well. boxmask reads them; other tools may not.",
)
PHOTO_ODD_MODE = Kind(
    "photo-odd-mode",
    "note",
    "Photos in an unusual pixel format",
    "boxmask reads them as RGB. Compare one with its original, and convert them if the colors have changed.",
)
EXIF_ROTATED = Kind(
    "exif-rotated",
    "note",
    "Photos that an EXIF orientation turns",
    "boxmask turns them upright. Check that the labels were drawn on the upright photos, as most tools "
    "show them.",
)
PHOTO_ODD_SIZE = Kind(
    "photo-odd-size",
    "warning",
    "Photos of an unusual size or shape",
    "Check that they belong to the data set: thumbnails and panoramas mostly do not.",
)
PHOTO_BLANK = Kind(
    "photo-blank",
    "warning",
    "Photos that show nothing",
    "Remove them, or replace them with the photos that they should be.",
)
PHOTO_DARK = Kind(
    "photo-dark",
    "warning",
    "Photos that are much darker than the others",
    "Check that the objects can be seen. Remove photos in which they cannot.",
)
PHOTO_LIGHT = Kind(
    "photo-light",
    "warning",
    "Photos that are much lighter than the others",
    "Check that the objects can be seen. Remove photos in which they cannot.",
)
PHOTO_BLURRED = Kind(
    "photo-blurred",
    "warning",
    "Photos that are blurred",
    "Check that the objects can be recognized. Remove photos in which they cannot.",
)
PHOTO_NEAR_COPIES = Kind(
    "photo-near-copies",
    "note",
    "Near copies of photos",
    "They show the same picture in another size, encoding or orientation. Keep the best of each: copies "
    "weigh more in training, and make the metrics look more certain than they are.",
)
_MEND_SPLIT = (
    "Draw a split that keeps them together: boxmask check DATA --group-by auto --write-split FILE, or train "
    "with --group-by auto."
)
COPIES_ACROSS_SPLITS = Kind(
    "photo-copies-across-splits",
    "warning",
    "Copies of a photo in several splits",
    f"Keep all of them in one split: otherwise, the metrics are too high. {_MEND_SPLIT}",
)
NEAR_COPIES_ACROSS_SPLITS = Kind(
    "photo-near-copies-across-splits",
    "warning",
    "Near copies of a photo in several splits",
    "They show the same picture in another size, encoding or orientation. Keep all of them in one "
    f"split: otherwise, the metrics are too high. {_MEND_SPLIT}",
)
COPIES_LABELED_DIFFERENTLY = Kind(
    "copies-labeled-differently",
    "warning",
    "Copies of a photo with different labels",
    "Keep the copy with the right labels, or correct the others.",
)
GROUP_ACROSS_SPLITS = Kind(
    "group-across-splits",
    "warning",
    "Groups of photos in several splits",
    f"The metrics are too high if training sees neighbors of the test photos. {_MEND_SPLIT}",
)
GROUP_ACROSS_DRAWN_SPLITS = Kind(
    "group-across-drawn-splits",
    "warning",
    "Groups of photos that a split drawn by training would divide",
    "The data set lacks splits, and training draws them with a seed, here 0. Photos of one group in several "
    f"splits make the metrics too high. {_MEND_SPLIT}",
)
