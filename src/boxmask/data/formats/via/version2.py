"""JSON of VIA 1 and 2: a project, or the annotations alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.data.formats.kinds import ENTRY_UNREADABLE
from boxmask.data.formats.via.file import ViaFile, ViaImage, declared_attributes
from boxmask.data.formats.via.packed import unpack
from boxmask.errors import LabelError

IMAGES = "_via_img_metadata"


def read_version2(root: Path, file: str, content: dict[str, object], findings: Findings) -> ViaFile:
    """Read a project or annotations. Images that cannot be read become findings.

    Raises LabelError for another structure.
    """
    is_project = IMAGES in content
    entries = content[IMAGES] if is_project else content
    if not isinstance(entries, dict):
        raise LabelError.in_file(root / file, f"expected an object of images in {IMAGES}, as VIA saves it.")
    keys = list(entries)
    places = JsonPlaces(root / file)
    prefix = (IMAGES,) if is_project else ()

    def locate(image: int, region: int | None) -> Location:
        way = (*prefix, image) if region is None else (*prefix, image, "regions", region)
        entry = f'"{keys[image][:60]}"' + ("" if region is None else f" regions[{region}]")
        return Location(str(root / file), places.line(*way), entry)

    images = []
    for number, entry in enumerate(entries.values()):
        try:
            images.append(_image(number, entry))
        except ValueError as error:
            regions = entry.get("regions") if isinstance(entry, dict) else None
            count = len(regions) if isinstance(regions, list | dict) else 0
            location = locate(number, None)
            findings.add(Finding(ENTRY_UNREADABLE, location, str(error), num_left_out=count))
    return ViaFile(file, images, declared_attributes(content.get("_via_attributes")), locate)


def _image(number: int, entry: object) -> ViaImage:
    entry = unpack(entry)
    if not isinstance(entry, dict):
        raise ValueError(f"expected an image with filename and regions, found {str(entry)[:60]}")
    name, attributes = entry.get("filename"), unpack(entry.get("file_attributes"))
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"expected the photo's name in filename, found {str(name)[:60]}")
    return ViaImage(
        number,
        name,
        _regions(entry.get("regions")),
        dict(attributes) if isinstance(attributes, dict) else {},
    )


def _regions(regions: object) -> Sequence[object]:
    """A list, or an object whose keys are "0", "1", ... in VIA 1."""
    if isinstance(regions, dict):
        return list(regions.values())
    if isinstance(regions, list) or regions is None:
        return regions or []
    raise ValueError(f"expected regions as a list, found {str(regions)[:60]}")
