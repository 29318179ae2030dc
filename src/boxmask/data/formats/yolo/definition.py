"""What describes a YOLO data set: its class names, its splits, and whether its labels hold keypoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from boxmask.data.class_names import check_class_names
from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, FILE_UNREADABLE, report_encoding
from boxmask.data.formats.yolo.kinds import CLASS_COUNT_DIFFERS
from boxmask.data.split_words import SPLIT_WORDS
from boxmask.data.text import read_lines, read_text
from boxmask.data.yaml_text import YamlNode, read_yaml
from boxmask.errors import LabelError
from boxmask.names import class_name

_SPLIT_KEYS = ("train", "val", "valid", "validation", "test")
_MAX_KEYPOINTS = 10_000


@dataclass(frozen=True, slots=True)
class SplitPath:
    """A folder of photos, or a list of photos, that belongs to a split. `path` is as written."""

    split: str
    path: str
    location: Location


@dataclass(frozen=True)
class Definition:
    """The description of a data set.

    file:             a data.yaml or obj.data, relative to the root; "" if there is none
    names:            of classes by number; None if the file has none
    num_classes:      as declared by nc or classes, if given
    names_file:       as darknet names it, "" if there is none
    folder:           to which the paths are relative, as written
    splits:           in the order train, val, test
    keypoint_numbers: numbers for keypoints after each box; 0 if the labels have none
    keypoint_line:    where the file says so
    """

    file: str = ""
    names: Mapping[int, str] | None = None
    num_classes: int | None = None
    names_file: str = ""
    folder: str = ""
    splits: tuple[SplitPath, ...] = ()
    keypoint_numbers: int = 0
    keypoint_line: int = 0


# ---------------------------------------------------------------- data.yaml


def is_definition(content: YamlNode) -> bool:
    """Whether a YAML file describes a YOLO data set."""
    keys = content.fields.keys()
    return bool(keys & {"names", "nc"}) and bool(keys & {*_SPLIT_KEYS, "path", "nc"})


def read_definition(root: Path, file: str, findings: Findings) -> Definition:
    """Read a data.yaml. A file that cannot be read becomes a finding, and the definition is empty."""
    try:
        content = read_yaml(root / file)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, root / file, error))
        return Definition()
    if note := read_text(root / file).note:
        report_encoding(root / file, findings)(note)
    return _YamlReader(root / file, content, findings).definition(file)


@dataclass(frozen=True)
class _YamlReader:
    path: Path
    content: YamlNode
    findings: Findings

    def definition(self, file: str) -> Definition:
        fields = self.content.fields
        folder = fields["path"].text if "path" in fields else None
        names = self._names(fields["names"]) if "names" in fields else None
        num_classes = self._num_classes(names)
        splits = [split for key in _SPLIT_KEYS if key in fields for split in self._split(key, fields[key])]
        return Definition(
            file=file,
            names=names,
            num_classes=num_classes,
            folder=folder or "",
            splits=tuple(splits),
            keypoint_numbers=self._keypoint_numbers(),
            keypoint_line=fields["kpt_shape"].line if "kpt_shape" in fields else 0,
        )

    def _names(self, node: YamlNode) -> dict[int, str]:
        pairs = [(str(number), item) for number, item in enumerate(node.items)] or list(node.fields.items())
        if not pairs:
            self._report(node.line, "names: expected a list or a mapping from numbers to names")
        names: dict[int, str] = {}
        spellings = {
            item.value: partial(Location, str(self.path), item.line)
            for _, item in reversed(pairs)
            if isinstance(item.value, str)
        }
        check_class_names(spellings, self.findings)
        for key, item in pairs:
            name = class_name(item.value) if isinstance(item.value, str) else ""
            if not (key.isascii() and key.isdigit() and len(key) < 10):
                self._report(item.line, f"names: expected class numbers as keys, found {key:.60}")
            elif not name:
                self._report(item.line, f"names: expected a name for class {key}, found nothing")
            else:
                names[int(key)] = name
        return names

    def _num_classes(self, names: Mapping[int, str] | None) -> int | None:
        """The declared number of classes. A finding if there are not as many names."""
        node = self.content.fields.get("nc")
        if node is None:
            return None
        number = int(node.text) if node.text and node.text.isascii() and node.text.isdigit() else None
        if names is not None and number != len(names):
            location = Location(str(self.path), node.line)
            detail = f"nc is {node.text!s:.20}, but there are {len(names)} names"
            self.findings.add(Finding(CLASS_COUNT_DIFFERS, location, detail))
        return number

    def _split(self, key: str, node: YamlNode) -> list[SplitPath]:
        """The folders and lists of a split."""
        paths = []
        for item in node.items or [node]:
            if item.text:
                paths.append(
                    SplitPath(SPLIT_WORDS[key], item.text.strip(), Location(str(self.path), item.line, key))
                )
            elif item.fields or item.items:
                self._report(item.line, f"{key}: expected a folder, a list of photos, or several of them")
        return paths

    def _keypoint_numbers(self) -> int:
        """The product of kpt_shape, which is [number of keypoints, numbers per keypoint]."""
        node = self.content.fields.get("kpt_shape")
        if node is None:
            return 0
        sides = [item.text or "" for item in node.items]
        if len(sides) == 2 and all(side.isascii() and side.isdigit() and len(side) < 6 for side in sides):
            numbers = int(sides[0]) * int(sides[1])
            if sides[1] in ("2", "3") and 0 < numbers <= _MAX_KEYPOINTS:
                return numbers
        self._report(node.line, "kpt_shape: expected [number of keypoints, 2 or 3]")
        return 0

    def _report(self, line: int, detail: str) -> None:
        self.findings.add(Finding(ENTRY_UNREADABLE, Location(str(self.path), line), detail))


# ---------------------------------------------------------------- darknet


def read_darknet_definition(root: Path, file: str) -> Definition:
    """Read an obj.data, with lines such as "train = data/train.txt". Raises LabelError if it is no text."""
    fields: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(read_lines(root / file), start=1):
        key, equals, value = line.partition("=")
        if equals:
            fields.setdefault(key.strip().lower(), (value.strip(), number))
    splits = [
        SplitPath(SPLIT_WORDS[key], fields[key][0], Location(str(root / file), fields[key][1], key))
        for key in _SPLIT_KEYS
        if fields.get(key, ("", 0))[0]
    ]
    return Definition(file=file, names_file=fields.get("names", ("", 0))[0], splits=tuple(splits))


# ---------------------------------------------------------------- names alone


@dataclass(frozen=True)
class NamesFiles:
    """Class names by number, for each folder that holds a file with them."""

    files: tuple[str, ...] = ()
    by_folder: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def names_for(self, folder: str) -> Mapping[int, str] | None:
        """The names in this folder or the nearest one around it, else those of the only file."""
        around = folder
        while around and around not in self.by_folder:
            around = around.rpartition("/")[0]
        if around in self.by_folder:
            return self.by_folder[around]
        different = list({tuple(names.items()): names for names in self.by_folder.values()}.values())
        return different[0] if len(different) == 1 else None


def read_names_files(root: Path, files: list[str], findings: Findings) -> NamesFiles:
    """Read files with one class name per line, in the order of their numbers."""
    by_folder: dict[str, dict[int, str]] = {}
    for file in files:
        try:
            lines = read_lines(root / file)
        except LabelError as error:
            findings.add(finding_of_error(FILE_UNREADABLE, root / file, error))
            continue
        names = {number: name for number, line in enumerate(lines) if (name := class_name(line))}
        by_folder.setdefault(file.rpartition("/")[0], names)
    return NamesFiles(tuple(files), by_folder)
