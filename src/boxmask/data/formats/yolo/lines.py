"""The lines of YOLO label files, as flat arrays.

    class x y width height                 a box: its center and its size
    class x1 y1 x2 y2 x3 y3 [x4 y4 ...]    a polygon; with four points also the corners of a rotated box
    class x y width height px1 py1 [v1] ...   a box and keypoints, only if data.yaml has kpt_shape

All are fractions of the photo's width and height.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableSequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from boxmask.data.findings import Finding, Findings, Kind, Location, finding_of_error
from boxmask.data.formats.kinds import (
    ENCODING_GUESSED,
    ENTRY_UNREADABLE,
    FILE_UNREADABLE,
    SHAPE_UNSUPPORTED,
)
from boxmask.data.text import decode_text
from boxmask.errors import LabelError

_BOX, _BOX_AND_SCORE, _TRIANGLE = 5, 6, 7
"""Numbers per line, the class included."""

MAX_CLASS = 2**31


@dataclass
class LabelLines:
    """The objects of all label files, in flat arrays with one entry per object.

    files:      (N) index of the label file
    lines:      (N) counted from 1
    classes:    (N) class numbers
    boxes:      (4 N) x, y, width and height of each object; NaN for polygons
    points:     (2 M) x and y of all polygons
    ends:       (N) where the points of each object end, counted in numbers; polygons have at least 6
    num_keypoint_lines: lines whose keypoints are not used
    """

    keypoint_numbers: int = 0
    files: MutableSequence[int] = field(default_factory=lambda: array("q"))
    lines: MutableSequence[int] = field(default_factory=lambda: array("q"))
    classes: MutableSequence[int] = field(default_factory=lambda: array("q"))
    boxes: MutableSequence[float] = field(default_factory=lambda: array("d"))
    points: MutableSequence[float] = field(default_factory=lambda: array("d"))
    ends: MutableSequence[int] = field(default_factory=lambda: array("q"))
    num_keypoint_lines: int = 0

    def read(self, path: str, index: int, findings: Findings) -> None:
        """Add the objects of a file. What cannot be read becomes a finding."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123 (there are many files)
                content = file.read()
            if not content.isascii() or b"\0" in content:
                text = decode_text(content, Path(path))
                content = text.content.encode()
                if text.note:
                    findings.add(Finding(ENCODING_GUESSED, Location(path), text.note))
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, Path(path), error))
            return
        except (OSError, ValueError) as error:
            findings.add(Finding(FILE_UNREADABLE, Location(path), f"cannot be read ({error})"))
            return
        for line, kind, detail in self.add_lines(content, index):
            findings.add(Finding(kind, Location(path, line), detail, num_left_out=1))

    def add_lines(self, content: bytes, file: int) -> Iterator[tuple[int, Kind, str]]:
        """Add the lines of a file; gives the number of each unreadable line, and what is wrong with it."""
        for number, line in enumerate(content.splitlines(), start=1):
            fields = line.split()
            if not fields:
                continue
            try:
                values = list(map(float, fields))
            except ValueError:
                yield number, ENTRY_UNREADABLE, _describe_no_number(fields)
                continue
            count = len(values)
            label = values[0]
            if b"_" in line:  # which Python takes for a separator of digits
                yield number, ENTRY_UNREADABLE, _describe_no_number(fields)
            elif not (label.is_integer() and abs(label) < MAX_CLASS):
                yield number, ENTRY_UNREADABLE, f"expected a class number, found {_text(fields[0])}"
            elif count == _BOX:
                self._add_object(file, number, label, values[1:])
            elif count == _BOX + self.keypoint_numbers:
                self.num_keypoint_lines += 1
                self._add_object(file, number, label, values[1:_BOX])
            elif count >= _TRIANGLE and count % 2 and not self.keypoint_numbers:
                self.points.extend(values[1:])
                self._add_object(file, number, label, _NO_BOX)
            else:
                yield number, *_describe_count(count, self.keypoint_numbers)

    def _add_object(self, file: int, line: int, label: float, box: list[float]) -> None:
        self.files.append(file)
        self.lines.append(line)
        self.classes.append(int(label))
        self.boxes.extend(box)
        self.ends.append(len(self.points))

    def arrays(self) -> ObjectArrays:
        """The same as arrays of numpy, which share the memory."""
        ends = np.asarray(self.ends, dtype=np.int64)
        return ObjectArrays(
            files=np.asarray(self.files, dtype=np.int64),
            lines=np.asarray(self.lines, dtype=np.int64),
            classes=np.asarray(self.classes, dtype=np.int64),
            boxes=np.asarray(self.boxes, dtype=np.float64).reshape(-1, 4),
            points=np.asarray(self.points, dtype=np.float64).reshape(-1, 2),
            offsets=np.concatenate([np.zeros(1, dtype=np.int64), ends]) // 2,
        )


_NO_BOX = [float("nan")] * 4


@dataclass(frozen=True)
class ObjectArrays:
    """N objects; object n has the polygon points[offsets[n]:offsets[n + 1]], and a box if it has none."""

    files: Int[np.ndarray, " N"]
    lines: Int[np.ndarray, " N"]
    classes: Int[np.ndarray, " N"]
    boxes: Float[np.ndarray, "N 4"]
    points: Float[np.ndarray, "M 2"]
    offsets: Int[np.ndarray, " N+1"]


# ---------------------------------------------------------------- what is wrong with a line


def _describe_no_number(fields: list[bytes]) -> str:
    words = [index for index, field in enumerate(fields) if not _is_number(field)]
    word = _text(fields[words[0]])
    if b"," in fields[words[0]]:
        return f'expected numbers with a decimal point and spaces between them, found "{word}"'
    if words == [0]:
        return f"expected a class number, found the name {word}"
    if len(fields) == 10 and words == [8]:
        return f"a line of DOTA, with 8 coordinates and then the class {word}; expected a class number first"
    return f'expected numbers, found "{word}"'


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def _text(field: bytes) -> str:
    return f"{field.decode('utf-8', errors='replace'):.60}"


def _describe_count(count: int, keypoint_numbers: int) -> tuple[Kind, str]:
    """Why a line of this many numbers is neither a box nor a polygon."""
    expected = "expected a class, and x, y, width and height"
    if keypoint_numbers:
        expected += f", and {keypoint_numbers} numbers for keypoints, as kpt_shape says"
        return SHAPE_UNSUPPORTED, f"{count} numbers; {expected}"
    if count == _BOX_AND_SCORE:
        return ENTRY_UNREADABLE, (
            "6 numbers: a class, a box and a confidence, as predictions have; labels have 5 numbers"
        )
    if count > _TRIANGLE and (count - _BOX) % 3 == 0:
        keypoints = (count - _BOX) // 3
        return SHAPE_UNSUPPORTED, (
            f"{count} numbers: a class, a box and, it seems, {keypoints} keypoints; to read the boxes alone, "
            f"add kpt_shape: [{keypoints}, 3] to data.yaml"
        )
    if count > _TRIANGLE:
        return ENTRY_UNREADABLE, f"an odd number of coordinates ({count - 1}) is neither a box nor a polygon"
    return ENTRY_UNREADABLE, f"{count} numbers; {expected}, or a class and at least 3 points"
