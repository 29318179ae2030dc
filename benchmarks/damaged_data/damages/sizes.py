"""Declared sizes that are not those of the photos, and photos that are stored sideways."""

from __future__ import annotations

import io

from PIL import Image

from damaged_data.damage import ALL_FORMATS, WITH_SIZES, damage
from damaged_data.draft import Draft
from damaged_data.sample import Photo

_ORIENTATION = 0x0112


def rotated_by_exif(photo: Photo) -> bytes:
    """The photo, stored sideways, with the EXIF orientation that shows it upright."""
    with Image.open(photo.source) as image:
        stored = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    content = io.BytesIO()
    stored.save(content, "JPEG", quality=92, exif=exif)
    return content.getvalue()


@damage("size-differs", WITH_SIZES)
def wrong_size(draft: Draft) -> None:
    photo = draft.photo(2)
    photo.declared = (photo.size[0] + 33, photo.size[1] + 7)
    if draft.format == "label-studio":
        height, width = photo.declared
        for thing in photo.objects:  # the percentages stay
            x1, y1, x2, y2 = thing.box
            across, down = width / photo.size[1], height / photo.size[0]
            thing.box = [x1 * across, y1 * down, x2 * across, y2 * down]
    draft.write()
    draft.expect("size-differs", photo)


@damage("photo-resized", ["coco", "voc", "labelme", "cvat", "csv"])
def resized(draft: Draft) -> None:
    """All photos were shrunk after labeling."""
    for photo in draft.sample.photos:
        photo.declared = (photo.size[0] * 2, photo.size[1] * 2)
        for thing in photo.objects:
            thing.move_to([2 * value for value in thing.box])
    draft.write()
    draft.expect("photo-resized", *draft.sample.photos)


def upright_labels(draft: Draft) -> None:
    """Photos stored sideways whose labels declare the size as shown."""
    photo = draft.photo(2)
    photo.content = rotated_by_exif(photo)
    draft.write()


@damage("exif-sideways", ["coco", "voc", "labelme", "cvat", "csv"], twin=upright_labels)
def sideways(draft: Draft) -> None:
    """The labels declare the stored size, and the boxes fit both ways."""
    photo = draft.choose(lambda photo: all(max(thing.box) < min(photo.size) for thing in photo.objects))
    photo.content = rotated_by_exif(photo)
    photo.declared = (photo.size[1], photo.size[0])
    draft.write()
    draft.expect("exif-sideways", photo)


@damage("exif-as-shown", ["coco", "voc", "labelme", "cvat", "csv"], twin=upright_labels)
def as_shown(draft: Draft) -> None:
    """The labels declare the stored size, but the boxes fit only the photo as shown."""
    photo = draft.choose(lambda photo: any(max(thing.box) > min(photo.size) + 5 for thing in photo.objects))
    photo.content = rotated_by_exif(photo)
    photo.declared = (photo.size[1], photo.size[0])
    draft.write()
    draft.expect("exif-as-shown", photo)


@damage("exif-rotated", ALL_FORMATS)
def exif_rotated(draft: Draft) -> None:
    photo = draft.photo(2)
    photo.content = rotated_by_exif(photo)
    draft.write()
    draft.expect_photo("exif-rotated", photo)
