"""Read YAML files of data sets as a tree whose nodes know their line.

Values stay text, so that a class called "no" is not read as false, and tags create no objects. An alias is
the node that it names, not a copy of it, so that a few lines cannot expand to gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from boxmask.data.text import CORRECT_OR_EXPORT, read_text
from boxmask.errors import LabelError

MAX_BYTES = 1_000_000
"""Larger files describe no data set."""

_MAX_DEPTH = 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # not every build of PyYAML has the one in C


@dataclass(frozen=True, slots=True, eq=False)
class YamlNode:
    """One value: a text, a list or a mapping.

    line:     counted from 1
    is_plain: whether a text is written without quotes
    """

    value: str | list[YamlNode] | dict[str, YamlNode]
    line: int
    is_plain: bool = False

    @property
    def text(self) -> str | None:
        """The text of a scalar; None for lists, mappings and null."""
        if not isinstance(self.value, str):
            return None
        return None if self.is_plain and self.value in ("", "~", "null", "Null", "NULL") else self.value

    @property
    def items(self) -> list[YamlNode]:
        """The entries of a list; none for any other value."""
        return self.value if isinstance(self.value, list) else []

    @property
    def fields(self) -> dict[str, YamlNode]:
        """The values of a mapping; none for any other value."""
        return self.value if isinstance(self.value, dict) else {}


def read_yaml(path: Path) -> YamlNode:
    """The first document of a file. An empty file is an empty text.

    Raises LabelError, with file and line, for broken YAML, repeated keys, and files that are too large or too
    deeply nested to describe a data set.
    """
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise LabelError.in_file(path, f"this file cannot be read ({error}).") from error
    if size > MAX_BYTES:
        raise LabelError.in_file(path, f"{size:,} bytes, too large for the description of a data set.")
    try:
        return _Builder(path).build(yaml.parse(read_text(path).content, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        reason = f"broken YAML ({error.problem or error.context}). {CORRECT_OR_EXPORT}"
        raise LabelError.in_file(path, reason, line, column) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise LabelError.in_file(path, f"broken YAML ({reason:.200}). {CORRECT_OR_EXPORT}") from error


class _Builder:
    """Makes a tree of the events of a YAML parser, without recursion."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._anchors: dict[str, YamlNode] = {}
        self._open: list[tuple[YamlNode, list[YamlNode]]] = []

    def build(self, events: Iterator[Any]) -> YamlNode:
        for event in events:
            node = self._node(event)
            if node is not None and not self._open:
                return node
        return YamlNode("", 1, is_plain=True)

    def _node(self, event: Any) -> YamlNode | None:
        """The value that an event completes, if any."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) >= _MAX_DEPTH:
                raise LabelError.in_file(
                    self._path, f"lists nested too deeply for a data set. {CORRECT_OR_EXPORT}", line
                )
            node = YamlNode({} if isinstance(event, yaml.MappingStartEvent) else [], line)
            self._open.append((self._anchored(event, node), []))
            return None
        if isinstance(event, yaml.CollectionEndEvent):
            return self._add(self._close())
        if isinstance(event, yaml.ScalarEvent):
            is_plain = event.style is None
            return self._add(self._anchored(event, YamlNode(event.value, line, is_plain)))
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise LabelError.in_file(
                    self._path, f"*{event.anchor} is not defined. {CORRECT_OR_EXPORT}", line
                )
            return self._add(self._anchors[event.anchor])
        return None

    def _anchored(self, event: Any, node: YamlNode) -> YamlNode:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _add(self, node: YamlNode) -> YamlNode:
        if self._open:
            self._open[-1][1].append(node)
        return node

    def _close(self) -> YamlNode:
        """Move the values of the innermost list or mapping into its node."""
        node, values = self._open.pop()
        if isinstance(node.value, list):
            node.value.extend(values)
        elif isinstance(node.value, dict):
            for key, value in zip(values[::2], values[1::2], strict=True):
                name = key.value if isinstance(key.value, str) else ""
                if name in node.value and node.value[name].value != value.value:
                    raise LabelError.in_file(
                        self._path, f"{name:.60} is given twice with different values. Keep one.", key.line
                    )
                node.value[name] = value
        return node
