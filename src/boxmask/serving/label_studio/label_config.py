"""The labeling config of a Label Studio project: where its photos are named, and which labels it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from boxmask.data.formats.xml_parser import new_parser
from boxmask.errors import LabelError
from boxmask.names import class_name
from boxmask.serving.errors import RequestError

MAX_CONFIG = 2**20  # characters
CONTROLS = ("RectangleLabels", "PolygonLabels", "BrushLabels", "Choices")


@dataclass
class Control:
    """A control of the config, such as <RectangleLabels name="label" toName="image">.

    labels: the labels that a user may choose
    """

    tag: str
    name: str
    to_name: str
    labels: list[str] = field(default_factory=list)

    def label_of(self, name: str) -> str | None:
        """The label that means a class, also in other case; None if there is none."""
        by_name = {class_name(label): label for label in self.labels}
        by_case = {class_name(label).casefold(): label for label in self.labels}
        return by_name.get(class_name(name)) or by_case.get(class_name(name).casefold())


@dataclass(frozen=True)
class LabelConfig:
    """The parts of a config that pre-labels need.

    controls:  by tag, the first of each
    image_keys: by the name of an <Image>, the field of a task that names the photo
    """

    controls: Mapping[str, Control]
    image_keys: Mapping[str, str]

    def control(self, tags: Iterable[str], class_names: Iterable[str]) -> Control:
        """The first control with one of these tags, in their order.

        Raises RequestError if there is none, or if it takes none of the classes.
        """
        wanted = tuple(tags)
        found = [self.controls[tag] for tag in wanted if tag in self.controls]
        if not found:
            shown = " or ".join(f"<{tag}>" for tag in wanted)
            raise RequestError(
                422,
                "wrong-config",
                f"the labeling interface has no {shown}, which the results of this model need. Add it, with "
                f"the labels {_listed(class_names)}.",
            )
        control = found[0]
        if not any(control.label_of(name) for name in class_names):
            raise RequestError(
                422,
                "wrong-config",
                f"<{control.tag}> of the labeling interface has none of the model's classes: "
                f"{_listed(class_names)}. Add labels with these names.",
            )
        return control


def parse_label_config(text: str) -> LabelConfig:
    """The config in a text of XML. Raises RequestError if it is broken."""
    if len(text) > MAX_CONFIG:
        raise RequestError(413, "config-too-large", "the labeling interface is too large.")
    reader = _ConfigReader()
    parser = new_parser(Path("labeling interface"))
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, LabelError, ValueError) as error:  # ValueError: halves of characters
        raise RequestError(
            422, "wrong-config", f"the labeling interface is broken XML ({str(error)[:200]})."
        ) from error
    return LabelConfig(reader.controls, reader.image_keys)


class _ConfigReader:
    """Collects the controls of a config."""

    def __init__(self) -> None:
        self.controls: dict[str, Control] = {}
        self.image_keys: dict[str, str] = {}
        self._open: list[Control | None] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        control = next((each for each in reversed(self._open) if each is not None), None)
        if tag in ("Label", "Choice") and control is not None and "value" in attributes:
            control.labels.append(attributes["value"])
        if tag == "Image" and attributes.get("value", "").startswith("$"):
            self.image_keys[attributes.get("name", "")] = attributes["value"][1:]
        opened = None
        if tag in CONTROLS:
            opened = Control(tag, attributes.get("name", ""), attributes.get("toName", ""))
            self.controls.setdefault(tag, opened)
        self._open.append(opened)

    def end(self, _: str) -> None:
        """An element ends."""
        self._open.pop()


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:20]) + (f" and {len(every) - 20} more" if len(every) > 20 else "")
