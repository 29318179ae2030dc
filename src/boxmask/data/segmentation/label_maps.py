"""The label images of a set: held against their classes file, and decoded when asked."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.data.messages import format_errors, format_note
from boxmask.data.segmentation.class_file import FORM, NAMES, ClassFile, code_text
from boxmask.data.segmentation.label_map_file import Runs, read_runs, stored_as
from boxmask.errors import LabelError
from boxmask.types import IGNORED

OnUnknownColors = Literal["error", "skip"]
"""What to do about colors (or numbers) that the classes file does not name: stop, or label nothing there."""

MOST_COLORS = 32  # that are listed; label images with more are smoothed ones
_TOO_MANY = {
    "colors": "So many mostly come of smoothing: export the label images without it, as PNG.",
    "numbers": "So many mostly count objects. If these are classes, give a classes file with their names.",
}
_THREADS = min(8, os.cpu_count() or 1)  # decoding leaves the interpreter free
_ResultT = TypeVar("_ResultT")


@dataclass(frozen=True)
class LabelMapFiles:
    """Where P photos' labels come from: label images, opened when asked.

    files:  (P,) str, relative to `root`
    checks: (P,) uint32, of what each said when the set was read
    """

    root: Path
    files: NDArray[np.str_]
    classes: ClassFile
    on_unknown_colors: OnUnknownColors
    checks: NDArray[np.uint32]

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel, 0..K-1 or IGNORED. Raises LabelError where the file has changed."""
        path = self.root / str(self.files[photo])
        runs = read_runs(path, self.classes.by_color)
        unknown = [int(code) for code in runs.codes if int(code) not in self.classes.labels]
        if unknown and self.on_unknown_colors == "error":
            shown = code_text(unknown[0], self.classes.by_color)
            raise LabelError(f"{path}: has {shown}, which it had not when the set was read. Read it anew.")
        return runs.looked_up(_table(runs, self.classes))

    def subset(self, photos: NDArray[np.int64]) -> LabelMapFiles:
        """Those of the given photos."""
        return replace(self, files=self.files[photos], checks=self.checks[photos])

    def fingerprint(self) -> bytes:
        """Changes with any pixel's label."""
        meaning = json.dumps([self.classes.by_color, sorted(self.classes.labels.items())])
        return self.checks.astype("<u4").tobytes() + meaning.encode()


@dataclass(frozen=True, slots=True)
class Survey:
    """What one label image holds: its codes, the pixels of each, and a checksum."""

    codes: NDArray[np.uint32]
    pixels: NDArray[np.int64]
    check: int


def require_sizes(
    root: Path, photos: Sequence[str], files: Sequence[str], sizes: NDArray[np.int32]
) -> list[str]:
    """Pillow's mode of each label image. Raises LabelError where one is not as large as its photo."""
    stored = _each(stored_as, [root / file for file in files])
    places = [
        f"{file} is {w} × {h}, its photo {photo} is {photo_w} × {photo_h}"
        for file, photo, ((h, w), _), (photo_h, photo_w) in zip(files, photos, stored, sizes, strict=True)
        if (h, w) != (photo_h, photo_w)
    ]
    if places:
        remedy = (
            "A label image has a pixel for every pixel of its photo as shown, its EXIF orientation applied. "
            "Export these at the photo's size, without smoothing."
        )
        raise LabelError(format_errors("Label images of another size than their photo", places, remedy))
    return [mode for _, mode in stored]


def survey(root: Path, files: Sequence[str], by_color: bool) -> list[Survey]:
    """Look through every label image once."""

    def look(path: Path) -> Survey:
        runs = read_runs(path, by_color)
        said = runs.codes[runs.which].astype("<u4").tobytes() + runs.lengths.astype("<i8").tobytes()
        return Survey(runs.codes, runs.counts(), zlib.crc32(said))

    return _each(look, [root / file for file in files])


def _each(look: Callable[[Path], _ResultT], paths: Sequence[Path]) -> list[_ResultT]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(look, paths))


def _table(runs: Runs, classes: ClassFile) -> UInt8[np.ndarray, " C"]:
    labels = [classes.labels.get(code, IGNORED) for code in runs.codes.tolist()]
    return np.array(labels, dtype=np.uint8)


def pixels_of_classes(surveys: Sequence[Survey], classes: ClassFile) -> NDArray[np.int64]:
    """(P, K) how many pixels of each class each photo has."""
    counts = np.zeros((len(surveys), IGNORED + 1), dtype=np.int64)
    for row, one in zip(counts, surveys, strict=True):
        np.add.at(row, [classes.labels.get(code, IGNORED) for code in one.codes.tolist()], one.pixels)
    return counts[:, : len(classes.names)]


# ---------------------------------------------------------------- faults


def found_codes(surveys: Sequence[Survey], files: Sequence[str], by_color: bool) -> dict[int, str]:
    """Each code with its share of all pixels and the first file that has it; the most frequent first."""
    pixels: dict[int, int] = {}
    first: dict[int, str] = {}
    for one, file in zip(surveys, files, strict=True):
        for code, count in zip(one.codes.tolist(), one.pixels.tolist(), strict=True):
            pixels[code] = pixels.get(code, 0) + count
            first.setdefault(code, file)
    total = sum(pixels.values())
    return {
        code: f"{code_text(code, by_color)}: {_share(count / total)} of all pixels, first in {first[code]}"
        for code, count in sorted(pixels.items(), key=lambda item: (-item[1], item[0]))
    }


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{share:.4%}"


def note_on_unknown(
    surveys: Sequence[Survey], files: Sequence[str], classes: ClassFile, choice: OnUnknownColors
) -> tuple[str, ...]:
    """A note on codes that the classes file does not name; LabelError unless they are to be ignored."""
    found = found_codes(surveys, files, classes.by_color)
    places = [place for code, place in found.items() if code not in classes.labels]
    what = "colors" if classes.by_color else "numbers"
    if places and choice == "error":
        some = code_text(next(code for code in found if code not in classes.labels), classes.by_color)
        line = f"name {some}" if classes.by_color else f"name,{some}"
        remedy = (
            f"Add them to {classes.file} (a line `{line}`, or the same with `ignore` at its end), or label "
            'nothing there with --on-unknown-colors skip (in Python: on_unknown_colors="skip").'
        )
        raise LabelError(
            format_errors(f"{what.capitalize()} that {classes.file} does not name", places, remedy)
        )
    return format_note(f"{what} that {classes.file} does not name, taken as not labeled", places)


def ask_for_classes(root: Path, surveys: Sequence[Survey], files: Sequence[str], by_color: bool) -> str:
    """What to say where there is no classes file: what was found, and the file to write."""
    found = found_codes(surveys, files, by_color)
    what = "colors" if by_color else "numbers"
    shown = "".join(f"\n  {place}" for place in list(found.values())[:MOST_COLORS])
    said = (
        f"{root}: nothing says which classes the label images show (looked for {', '.join(NAMES)}). The "
        f"{len(files)} label images have {len(found)} {what}:{shown}"
    )
    if len(found) > MOST_COLORS:
        return f"{said}\n  and {len(found) - MOST_COLORS} more. {_TOO_MANY[what]}"
    lines = "\n".join(_lines(list(found) if by_color else sorted(found), by_color))
    return (
        f"{said}\nWrite {root / NAMES[0]}, or give a file with --classes-file (in Python: classes_file), "
        f"with your names in place of class1, class2 ...:\n{lines}\n{FORM}"
    )


def _lines(codes: list[int], by_color: bool) -> list[str]:
    """A classes file for these codes; numbers that look like gray levels are written as colors."""
    if by_color:
        return [f"class{place} {code:06X}" for place, code in enumerate(codes, start=1)]
    said = [code for code in codes if code != IGNORED]
    if said == list(range(len(said))) and len(said) > 1:
        return [f"class{place}" for place in range(1, len(said) + 1)]
    if max(codes) <= IGNORED:
        return [f"class{place} {code * 0x010101:06X}" for place, code in enumerate(codes, start=1)]
    return [f"class{place},{code}" for place, code in enumerate(codes, start=1)]
