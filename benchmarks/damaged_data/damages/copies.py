"""Copies of photos, and photos of one scene, in one split or on both sides of a split."""

from __future__ import annotations

import io

from PIL import Image, ImageEnhance

from damaged_data.damage import ALL_FORMATS, BOXES, damage
from damaged_data.damages.photos import changed
from damaged_data.draft import Draft
from damaged_data.sample import Photo

IN_SPLITS = tuple(name for name in ALL_FORMATS if name != "label-studio")
_WITH_OBJECTS = BOXES


def _add_copy(draft: Draft, split: str, stem: str = "IMG_7007") -> tuple[Photo, Photo]:
    photo = draft.photo(2)
    twin = photo.copied(stem)
    twin.split = split
    draft.sample.photos.append(twin)
    draft.allow("group-across-drawn-splits")  # without splits, training may draw the copies apart
    return photo, twin


def same_scene_other_objects(draft: Draft) -> None:
    """Two different photos with the same colors: one is the other, mirrored and with its halves exchanged."""
    photo, twin = _add_copy(draft, "test")
    width = photo.size[1]

    def rearrange(image: Image.Image) -> Image.Image:
        turned = image.transpose(Image.Transpose.ROTATE_180)
        changed_image = Image.new("RGB", image.size)
        changed_image.paste(turned.crop((width // 2, 0, width, image.height)), (0, 0))
        changed_image.paste(turned.crop((0, 0, width // 2, image.height)), (width - width // 2, 0))
        return changed_image

    twin.content = changed(photo, rearrange)
    draft.write()


@damage("photo-copies", ALL_FORMATS, twin=same_scene_other_objects)
def copy_in_training(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "train")
    draft.write()
    draft.expect_photo("photo-copies", photo, twin)


@damage("photo-copies-across-splits", IN_SPLITS, twin=same_scene_other_objects)
def copy_in_test(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "test")
    draft.write()
    draft.expect_photo("photo-copies-across-splits", photo, twin)


def _edited(photo: Photo) -> bytes:
    """The photo, a little brighter, and compressed more."""
    return changed(photo, lambda image: ImageEnhance.Brightness(image).enhance(1.08), quality=55)


@damage("photo-near-copies", ALL_FORMATS, twin=same_scene_other_objects)
def near_copy_in_training(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "train")
    twin.content = _edited(photo)
    draft.write()
    draft.expect_photo("photo-near-copies", photo, twin)


@damage("photo-near-copies-across-splits", IN_SPLITS, twin=same_scene_other_objects)
def near_copy_in_test(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "test")
    twin.content = _edited(photo)
    draft.write()
    draft.expect_photo("photo-near-copies-across-splits", photo, twin)


def _resized(photo: Photo) -> bytes:
    with Image.open(photo.source) as image:
        content = io.BytesIO()
        image.resize((image.width * 3 // 2, image.height * 3 // 2), Image.Resampling.BICUBIC).save(
            content, "PNG"
        )
    return content.getvalue()


@damage(
    "photo-near-copies-across-splits, resized PNG",
    IN_SPLITS,
    twin=same_scene_other_objects,
)
def resized_copy_in_test(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "test")
    twin.content, twin.suffix = _resized(photo), ".png"
    twin.size = (photo.size[0] * 3 // 2, photo.size[1] * 3 // 2)
    for thing in twin.objects:
        thing.move_to([1.5 * value for value in thing.box])
    draft.write()
    draft.expect_photo("photo-near-copies-across-splits", photo, twin)


@damage("copies-labeled-differently", _WITH_OBJECTS)
def copy_with_other_labels(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "train")
    twin.objects[0].name = next(name for name in draft.sample.class_names if name != twin.objects[0].name)
    draft.write()
    draft.expect_photo("copies-labeled-differently", photo, twin)
    draft.allow("photo-copies")


@damage("copies-labeled-differently, flipped and without labels", [n for n in _WITH_OBJECTS if n != "csv"])
def flipped_copy_without_labels(draft: Draft) -> None:
    photo, twin = _add_copy(draft, "train")
    with Image.open(photo.source) as image:
        content = io.BytesIO()
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(content, "JPEG", quality=92)
    twin.content, twin.objects = content.getvalue(), []
    draft.write()
    draft.expect_photo("copies-labeled-differently", photo, twin)


def numbered_photos(draft: Draft) -> None:
    """Photos of different scenes whose names count on, as a camera's do."""
    for index, photo in enumerate(draft.sample.photos):
        photo.stem = f"DSC_{index:04d}"
    draft.write()


@damage("group-across-splits", [name for name in IN_SPLITS if name != "class-folders"], twin=numbered_photos)
def frames_of_one_video(draft: Draft) -> None:
    """Frames of two videos, drawn into training and test. Neighbors differ in a slow pan."""
    frames = []
    scenes = [draft.photo(0), draft.photo(1)]
    draft.sample.photos = [photo for photo in draft.sample.photos if photo not in scenes]
    for video, scene in enumerate(scenes):
        for frame in range(6):
            twin = scene.copied(f"clip{video}_frame_{frame * 5:04d}")
            twin.split = ("train", "test")[frame % 2]
            shift = 6 * frame
            twin.content = changed(scene, lambda image, shift=shift: _pan(image, shift))
            for thing in twin.objects:
                x1, y1, x2, y2 = thing.box
                thing.move_to([max(0, x1 - shift), y1, max(x2 - shift, 12), y2])
            frames.append(twin)
    draft.sample.photos += frames
    draft.write()
    for group in (frames[:6], frames[6:]):
        draft.expect_any_photo("group-across-splits", group)
    draft.allow(
        "photo-near-copies",
        "photo-near-copies-across-splits",
        "copies-labeled-differently",
        "photo-copies",
        "photo-copies-across-splits",
        "outline-misfits-box",
        "class-imbalance",
        "box-nearly-repeated",
    )


def _pan(image: Image.Image, shift: int) -> Image.Image:
    """The view a little to the right; the edge is repeated."""
    panned = image.copy()
    panned.paste(image.crop((shift, 0, image.width, image.height)), (0, 0))
    return panned
