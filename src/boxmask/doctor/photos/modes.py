"""Photos in a pixel format that tools read differently."""

from __future__ import annotations

from collections import Counter

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.photos.kinds import PHOTO_ODD_MODE

_DESCRIPTIONS = {
    "1": "1 bit per pixel",
    "P": "colors from a palette",
    "PA": "colors from a palette",
    "CMYK": "CMYK, the colors of printers",
    "LAB": "L*a*b* colors",
    "HSV": "HSV colors",
    "I": "16 bits per pixel, of which the upper 8 are used",
    "F": "floating-point values",
}
_SIXTEEN_BITS = _DESCRIPTIONS["I"]
_TRANSPARENT = "transparent; blended with white"
_GRAY = "gray, while most photos are in color"
_COLOR = ("RGB", "RGBA", "P", "CMYK", "YCbCr", "LAB", "HSV")


def check_modes(records: PhotoRecords, findings: Findings) -> None:
    """Add photos in an unusual pixel format: each, or all at once if most have the same."""
    modes = records.modes.tolist()
    gray_is_odd = 2 * sum(mode in _COLOR for mode in modes) > len(modes)
    descriptions = [
        _describe(mode, transparent, gray_is_odd)
        for mode, transparent in zip(modes, records.transparent.tolist(), strict=True)
    ]
    counts = Counter(descriptions)
    usual = {text for text, count in counts.items() if text and 2 * count > len(records)}
    for text in usual:
        detail = f"{counts[text]:,} of {len(records):,} photos: {text}"
        findings.add(Finding(PHOTO_ODD_MODE, Location(str(records.root)), detail))
    for file, text in zip(records.files, descriptions, strict=True):
        if text and text not in usual:
            findings.add(Finding(PHOTO_ODD_MODE, Location(str(records.root / file)), text, file))


def _describe(mode: str, transparent: bool, gray_is_odd: bool) -> str:
    """What is unusual about a pixel format; "" if nothing is."""
    if mode.startswith("I;16"):
        return _SIXTEEN_BITS
    if mode in _DESCRIPTIONS:
        return _DESCRIPTIONS[mode] + (f", {_TRANSPARENT}" if transparent else "")
    if transparent:
        return _TRANSPARENT
    return _GRAY if mode == "L" and gray_is_odd else ""
