"""The head of CVAT's XML: the task, its labels, and the attributes of each label."""

from __future__ import annotations

from collections.abc import Iterable

from boxmask.data.formats.contract import ClassNames, Losses
from boxmask.data.formats.json_writing import is_json
from boxmask.data.formats.xml_writing import element_text, is_xml_text

_AS_TEXT = "the attribute {} of objects is written as text, because some of its values are texts"
_CHECKBOX, _NUMBER, _TEXT = "checkbox", "number", "text"


class AttributeTypes:
    """The input types of all attributes, by label and name, as far as objects were written."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, set[str]]] = {}

    def text_of(self, label: str, name: str, value: object) -> str | None:
        """The text of a value, whose type is noted; None for one that CVAT does not hold."""
        kind = _input_type(value)
        if kind is None or not name or not (is_xml_text(name) and is_json(value)):
            return None
        if isinstance(value, str) and not is_xml_text(value):
            return None
        self._types.setdefault(label, {}).setdefault(name, set()).add(kind)
        return str(value).lower() if kind == _CHECKBOX else str(value)

    def of(self, label: str, losses: Losses) -> dict[str, str]:
        """The input type of each attribute of a label."""
        types = {}
        for name, kinds in self._types.get(label, {}).items():
            types[name] = next(iter(kinds)) if len(kinds) == 1 else _TEXT
            if len(kinds) > 1:
                losses.add(_AS_TEXT.format(name), "")
        return types


def _input_type(value: object) -> str | None:
    if isinstance(value, bool):
        return _CHECKBOX
    if isinstance(value, int | float):
        return _NUMBER
    return _TEXT if isinstance(value, str) else None


def meta(
    class_names: ClassNames, tags: Iterable[str], types: AttributeTypes, num_images: int, losses: Losses
) -> str:
    """The XML before the first image. `tags` are the labels of photos."""
    labels = []
    for name in class_names:
        color = class_names.attributes.get(name, {}).get("color")
        labels.append(_label(name, color, "any", types.of(name, losses)))
    labels += [_label(tag, None, "tag", {}) for tag in tags if tag not in set(class_names)]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n"
        f"      <name>boxmask</name>\n      <size>{num_images}</size>\n      <mode>annotation</mode>\n"
        f"      <labels>\n{''.join(labels)}      </labels>\n"
        "    </task>\n  </meta>\n"
    )


def _label(name: str, color: object, kind: str, input_types: dict[str, str]) -> str:
    lines = [f"<name>{element_text(name)}</name>"]
    if isinstance(color, str) and color:
        lines.append(f"<color>{element_text(color)}</color>")
    lines += [f"<type>{kind}</type>", "<attributes>"]
    lines += [_attribute(attribute, input_type) for attribute, input_type in input_types.items()]
    text = "".join(f"          {line}\n" for line in [*lines, "</attributes>"])
    return f"        <label>\n{text}        </label>\n"


def _attribute(name: str, input_type: str) -> str:
    default = {_CHECKBOX: "false", _NUMBER: "0"}.get(input_type, "")
    return (
        f"<attribute><name>{element_text(name)}</name><mutable>False</mutable>"
        f"<input_type>{input_type}</input_type><default_value>{default}</default_value>"
        f"<values>{default}</values></attribute>"
    )
