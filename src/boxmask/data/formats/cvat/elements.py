"""The elements of CVAT's XML, image by image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_SHAPES = ("box", "polygon", "mask", "ellipse", "polyline", "points", "cuboid", "skeleton", "tag")
_LABEL_TYPES_WITHOUT_AREA = ("tag", "skeleton", "points", "polyline", "cuboid")
"""Labels of these types are no classes of objects with an area."""


@dataclass(slots=True)
class CvatLabel:
    """A label in <meta>.

    input_types: of its attributes: "checkbox", "number", "select", "radio" or "text"
    """

    name: str = ""
    color: str = ""
    type: str = ""
    parent: str = ""
    input_types: dict[str, str] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        """Whether objects with an area may have it. Parts of skeletons have a parent."""
        return bool(self.name) and self.type not in _LABEL_TYPES_WITHOUT_AREA and not self.parent


@dataclass(slots=True)
class CvatShape:
    """A shape or a tag: its element, the line in which it begins, and its XML and CVAT attributes."""

    tag: str
    line: int
    fields: dict[str, str]
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class CvatImage:
    """An <image> with its shapes."""

    line: int
    fields: dict[str, str]
    shapes: list[CvatShape] = field(default_factory=list)


class CvatHandler:
    """Passes on the images of a file, one by one. See `boxmask.data.formats.xml_stream.XmlHandler`.

    labels:     by name. They come with each image, and are complete when the first one comes.
    root:       tag of the outermost element
    num_tracks: tracks of a video, which are not passed on
    track_line: line of the first one
    """

    def __init__(self, on_image: Callable[[CvatImage, Mapping[str, CvatLabel]], None]) -> None:
        self.labels: dict[str, CvatLabel] = {}
        self.root, self.num_tracks, self.track_line = "", 0, 0
        self._on_image = on_image
        self._open: list[str] = []
        self._image = CvatImage(0, {})
        self._label, self._attribute = CvatLabel(), {"name": "", "input_type": ""}
        self._attribute_name = ""

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        """Begin an image, a shape or one of its attributes."""
        depth = len(self._open)
        self._open.append(tag)
        if depth == 0:
            self.root = tag
        elif depth == 1 and tag == "image":
            self._image = CvatImage(line, attributes)
        elif depth == 1 and tag == "track":
            self.num_tracks += 1
            self.track_line = self.track_line or line
        elif depth == 2 and self._open[1] == "image" and tag in _SHAPES:
            self._image.shapes.append(CvatShape(tag, line, attributes))
        elif tag == "label" and self._open[-2:-1] == ["labels"]:
            self._label = CvatLabel()
        elif tag == "attribute" and self._open[-3:-1] == ["label", "attributes"]:
            self._attribute = {"name": "", "input_type": ""}
        self._attribute_name = attributes.get("name", "") if tag == "attribute" else ""

    def end(self, tag: str, text: str) -> None:
        """End an image, an attribute of a shape, or a field of a label."""
        match self._open:
            case [_, "image"]:
                self._on_image(self._image, self.labels)
            case [_, "image", shape, "attribute"] if shape in _SHAPES:
                self._image.shapes[-1].attributes[self._attribute_name] = text
            case [_, "meta", *_, "labels", "label"]:
                self.labels[self._label.name] = self._label
            case [_, "meta", *_, "label", "name" | "color" | "type" | "parent"]:
                setattr(self._label, tag, text.strip())
            case [_, "meta", *_, "label", "attributes", "attribute", "name" | "input_type"]:
                self._attribute[tag] = text.strip()
            case [_, "meta", *_, "label", "attributes", "attribute"]:
                self._label.input_types[self._attribute["name"]] = self._attribute["input_type"]
        self._open.pop()
