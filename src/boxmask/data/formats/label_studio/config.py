"""The labeling config of a Label Studio project: which shapes and classes there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from boxmask.data.formats.source import Source
from boxmask.data.formats.xml_stream import stream_xml
from boxmask.data.formats.xml_writing import attribute_value, xml_text

CONFIG_FILE = "labeling-config.xml"
CONTROLS = {
    "rectangle": "RectangleLabels",
    "polygon": "PolygonLabels",
    "ellipse": "EllipseLabels",
    "brush": "BrushLabels",
}
"""The names of the controls that are written, and their tags."""


def listed_classes(source: Source) -> list[str]:
    """The classes in the config that `boxmask convert` writes beside the tasks; none without it.

    Raises LabelError for broken XML.
    """
    reader = _LabelReader()
    if CONFIG_FILE in source.files:
        stream_xml(source.root / CONFIG_FILE, reader)
    return reader.names


class _LabelReader:
    """Collects the values of <Label> elements; see `XmlHandler`."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        """An element begins."""
        name = attributes.get("value", "")
        if tag == "Label" and name.strip() and name not in self.names:
            self.names.append(name)

    def end(self, tag: str, text: str) -> None:
        """An element ends."""


def labeling_config(class_names: Sequence[str], questions: Mapping[str, str], shapes: Iterable[str]) -> str:
    """The XML to paste into the settings of a project.

    questions: the tag of each attribute of objects: Choices, TextArea or Number
    shapes:    keys of CONTROLS
    """
    lines = ["<View>", '  <Image name="image" value="$image" zoom="true"/>']
    for shape in shapes:
        lines.append(f'  <{CONTROLS[shape]} name="{shape}" toName="image">')
        lines.extend(f"    <Label value={_quoted(name)}/>" for name in class_names)
        lines.append(f"  </{CONTROLS[shape]}>")
    for name, tag in questions.items():
        opening = f'  <{tag} name={_quoted(name)} toName="image" perRegion="true"'
        choices = '>\n    <Choice value="true"/>\n  </Choices>' if tag == "Choices" else "/>"
        lines.append(opening + choices)
    return "\n".join([*lines, "</View>"]) + "\n"


def _quoted(text: str) -> str:
    xml_text(text, "name")  # raises for characters that XML cannot hold
    return attribute_value(text)
