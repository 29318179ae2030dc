"""Label maps: unreadable, missing, of another size, with unknown indices, blank."""

from __future__ import annotations

from PIL import Image

from damaged_data.damage import damage
from damaged_data.draft import Draft

_FORMAT = ["label-maps"]


@damage("label-map-unreadable", _FORMAT)
def unreadable(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    path = draft.folder / draft.places[photo].file
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    draft.expect("label-map-unreadable", photo)


@damage("label-map-missing", _FORMAT)
def missing(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    (draft.folder / draft.places[photo].file).unlink()
    draft.expect_photo("label-map-missing", photo)
    draft.allow("photo-without-label")


@damage("photo-missing, label map without a photo", _FORMAT)
def without_photo(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    draft.path(photo).unlink()
    draft.expect("photo-missing", photo)


@damage("label-map-size", _FORMAT)
def another_size(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    path = draft.folder / draft.places[photo].file
    with Image.open(path) as label_map:
        smaller = label_map.resize((label_map.width - 9, label_map.height), Image.Resampling.NEAREST)
    smaller.save(path)
    draft.expect("label-map-size", photo)


@damage("label-map-color-unknown", _FORMAT)
def unknown_index(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    path = draft.folder / draft.places[photo].file
    with Image.open(path) as label_map:
        edited = label_map.copy()
    edited.paste(9, (30, 30, 60, 60))
    edited.save(path)
    draft.expect("label-map-color-unknown", photo)


@damage("label-map-blank", _FORMAT)
def blank(draft: Draft) -> None:
    photo = draft.photo(2)
    draft.write()
    path = draft.folder / draft.places[photo].file
    Image.new("L", photo.size[::-1], 255).save(path)  # no pixel is labeled
    draft.expect("label-map-blank", photo)
